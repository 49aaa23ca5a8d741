// What this phone takes along of its grids: who lives there, what stands there, the outline. Kept sealed in parts, each with its digest, so that
// only what changed is fetched again. Entry points: `openBundle` (what is kept), `refreshBundle` (asks the server), `homes`, `grids`.
import type { Geometry } from 'geojson'
import { computed, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { Bundle, Id, PackedFacility, PackedHome } from '@/api/types'
import { me } from '../session'
import { forgetSeen, get, names, put, remove } from '../vault'

const INDEX = 'seen/bundle'
const REFRESH_MS = 10 * 60_000
const groundOf = (area: Id) => `${INDEX}/${area}/ground`
const partOf = (area: Id, at: number) => `${INDEX}/${area}/${at}`

/** What is kept of one grid, by the digests the server told. */
interface KeptGrid {
  area_id: Id
  name: string
  ground: string
  parts: string[]
  more: boolean
}

interface Index {
  account: Id
  at: number
  grids: KeptGrid[]
  /** Names of care registers by key. */
  registers: Record<string, string>
}

interface Ground {
  outline: Geometry | null
  facilities: PackedFacility[]
}

/** A household with the grid it lies in. */
export type Home = PackedHome & { grid: Id }
export type Grid = KeptGrid & Ground

const index = shallowRef<Index | null>(null)
const all = shallowRef<Home[]>([])
const ground = shallowRef<Grid[]>([])

/** In the order of a walk. */
export const homes = computed(() => all.value)
export const grids = computed(() => ground.value)
/** When the server was last asked. */
export const bundledAt = computed(() => index.value?.at ?? null)
/** A grid has more households than a phone takes along. */
export const cut = computed(() => ground.value.some((grid) => grid.more))
export const registerName = (key: string) => index.value?.registers[key] ?? key
export const homeOf = (id: string) => all.value.find((home) => home.id === id)

/** House and room. */
export const addressOf = (home: PackedHome) => [home.house, home.room].filter(Boolean).join(' ') || home.number || ''

let opened: Promise<void> | undefined
/** Reads what is kept; once. */
export function openBundle(): Promise<void> {
  opened ??= read()
  return opened
}

async function read() {
  const kept = await get<Index>(INDEX)
  if (!kept || kept.account !== me.value?.id) return
  await show(kept)
}

async function show(kept: Index) {
  const found: Home[] = []
  const places: Grid[] = []
  for (const grid of kept.grids) {
    const parts = await Promise.all(grid.parts.map((_, at) => get<PackedHome[]>(partOf(grid.area_id, at))))
    const place = await get<Ground>(groundOf(grid.area_id))
    // What the browser lost, or no longer opens, is asked for again.
    grid.parts = grid.parts.map((digest, at) => (parts[at] ? digest : ''))
    if (!place) grid.ground = ''
    found.push(...parts.flatMap((part) => part ?? []).map((home) => ({ ...home, grid: grid.area_id })))
    places.push({ ...grid, ...(place ?? { outline: null, facilities: [] }) })
  }
  found.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : a.id < b.id ? -1 : 1))
  index.value = kept
  all.value = found
  ground.value = places
}

/** Asks now and then, by itself; without signal what is kept stays. */
export async function keepBundle(): Promise<void> {
  if (!me.value?.permissions.includes('duty.read')) return
  await openBundle()
  if (index.value && Date.now() - index.value.at < REFRESH_MS) return
  await refreshBundle().catch(() => undefined)
}

/** Asks the server for what is not here yet, and forgets what is no longer this worker's. */
export async function refreshBundle(): Promise<void> {
  const account = me.value?.id ?? ''
  await openBundle()
  const known = index.value?.account === account ? index.value : null
  const said = await api.post<Bundle>('/sync/bundle', { grids: (known?.grids ?? []).map((one) => ({ area_id: one.area_id, ground: one.ground, parts: one.parts })) })
  const kept: Index = { account, at: Date.now(), grids: [], registers: { ...known?.registers, ...Object.fromEntries(said.registers.map((one) => [one.key, one.name])) } }
  await forgetOthers(said.grids.map((grid) => grid.area_id), known)
  for (const grid of said.grids) {
    if (grid.ground) await put(groundOf(grid.area_id), grid.ground)
    for (const [at, part] of grid.parts.entries()) if (part.homes) await put(partOf(grid.area_id, at), part.homes)
    kept.grids.push({ area_id: grid.area_id, name: grid.name, ground: grid.ground_digest, parts: grid.parts.map((part) => part.digest), more: grid.more })
  }
  // Last: until all of it is here, the old digests stand and ask for it again.
  await put(INDEX, kept)
  await show(kept)
}

/** A grid that is somebody else's now goes from the phone, and with it all that was seen on these pages: what is still mine comes again. */
async function forgetOthers(mine: Id[], known: Index | null) {
  const gone = (known?.grids ?? []).filter((grid) => !mine.includes(grid.area_id))
  for (const grid of gone) for (const name of await names(`${INDEX}/${grid.area_id}/`)) await remove(name)
  if (gone.length) await forgetSeen((name) => name !== 'seen/me' && !name.startsWith(INDEX))
}
