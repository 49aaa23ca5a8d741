// The patrol that runs on this phone: begun, paused and ended by the worker, kept sealed so that a reload or an empty battery loses nothing.
// Positions are followed only while it runs. Entry points: `patrol`, `begin`, `rest`, `resume`, `finish`, `loadPatrol`.
import { computed, ref } from 'vue'
import { newId } from '@/api/ids'
import type { VisitRecorded } from '@/api/types'
import { inShanghai } from '../duties/model'
import { sendOrKeep } from '../unsent'
import { get, put, remove } from '../vault'
import { goOn, patrolled, pause, stepped, walked, type Patrol } from './track'

const NAME = 'patrol'
const TICK_MS = 1_000
const SAVE_EVERY = 5
const MINUTE_S = 60
const DIGITS = 1e6

export const patrol = ref<Patrol | null>(null)
const now = ref(Date.now())
export const seconds = computed(() => (patrol.value ? patrolled(patrol.value, now.value) : 0))
export const distance = computed(() => (patrol.value ? walked(patrol.value) : 0))
/** Whether the phone tells where it is. */
export const seesPosition = ref(false)

let watching: number | undefined
let ticking: ReturnType<typeof setInterval> | undefined
let light: { release(): Promise<void> } | undefined

const keep = async () => {
  if (patrol.value) await put(NAME, patrol.value).catch(() => undefined)
}

function follow() {
  ticking ??= setInterval(() => (now.value = Date.now()), TICK_MS)
  if (watching !== undefined || !('geolocation' in navigator)) return
  watching = navigator.geolocation.watchPosition(
    ({ coords }) => {
      seesPosition.value = true
      const running = patrol.value
      if (!running) return
      const spot = { lon: Math.round(coords.longitude * DIGITS) / DIGITS, lat: Math.round(coords.latitude * DIGITS) / DIGITS, accuracy_m: Math.round(coords.accuracy) }
      // By the phone's own clock, as everything else of the patrol: a satellite's may differ.
      if (stepped(running, spot, Date.now()) && running.steps.length % SAVE_EVERY === 1) void keep()
    },
    () => (seesPosition.value = false),
    { enableHighAccuracy: true, maximumAge: 5_000 },
  )
  // The screen stays on where the phone can: with it off a browser hears no positions.
  void navigator.wakeLock?.request('screen').then((held) => (light = held)).catch(() => undefined)
}

function stopFollowing() {
  clearInterval(ticking)
  ticking = undefined
  if (watching !== undefined) navigator.geolocation.clearWatch(watching)
  watching = undefined
  void light?.release().catch(() => undefined)
  light = undefined
}

/** What an earlier page left; call once before the first page is shown. A patrol that runs goes on, with a gap. */
export async function loadPatrol() {
  patrol.value = await get<Patrol>(NAME)
  if (patrol.value) {
    now.value = Date.now()
    if (patrol.value.paused === null) follow()
  }
}

export async function begin(grid: string, name: string) {
  now.value = Date.now()
  patrol.value = { id: newId(), grid, name, begun: now.value, steps: [], pauses: [], paused: null }
  await keep()
  follow()
}

export async function rest() {
  if (!patrol.value) return
  pause(patrol.value, Date.now())
  stopFollowing()
  now.value = Date.now()
  await keep()
}

export async function resume() {
  if (!patrol.value) return
  goOn(patrol.value, Date.now())
  await keep()
  follow()
}

/** Ends it and sends it, or keeps it until there is a signal. When it is refused it is still there. */
export async function finish(said: string, photos: string[]): Promise<VisitRecorded | 'kept' | undefined> {
  const running = patrol.value
  if (!running) return undefined
  const end = Date.now()
  goOn(running, end)
  const minutes = Math.round(patrolled(running, end) / MINUTE_S)
  const last = running.steps.at(-1)
  const body = {
    id: running.id, act: 'patrol', subject_kind: 'grid', subject_id: running.grid, at: inShanghai(running.begun), minutes, outcome: 'met',
    position: last && { lon: last.lon, lat: last.lat, accuracy_m: last.accuracy_m }, talk: said.trim() || undefined, photos,
    track: { steps: running.steps, pauses: running.pauses },
  }
  stopFollowing()
  const done = await sendOrKeep<VisitRecorded>('/visits', body, `${running.name}`)
  patrol.value = null
  await remove(NAME).catch(() => undefined)
  return done
}

/** Gives it up: nothing is sent. */
export async function drop() {
  stopFollowing()
  patrol.value = null
  await remove(NAME).catch(() => undefined)
}
