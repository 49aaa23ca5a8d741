import { beforeEach, expect, test, vi } from 'vitest'
import type { Bundle, PackedHome } from '@/api/types'
import { me } from '../session'
import { grids, homes, refreshBundle } from './bundle'

// The sealed store of the browser; here a plain one behind the same names.
const kept = vi.hoisted(() => new Map<string, string>())
vi.mock('../vault', () => ({
  put: async (name: string, value: unknown) => void kept.set(name, JSON.stringify(value)),
  get: async (name: string) => JSON.parse(kept.get(name) ?? 'null'),
  remove: async (name: string) => void kept.delete(name),
  names: async (prefix: string) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
  forgetSeen: async (which: (name: string) => boolean = () => true) => [...kept.keys()].filter((name) => name.startsWith('seen/') && which(name)).forEach((name) => kept.delete(name)),
}))

const home = (id: string): PackedHome => ({ id, number: null, house: '一号楼', room: id, order: id, lon: null, lat: null, residents: [], row_version: 1, last: null })
const grid = (area_id: string, parts: [digest: string, homes: PackedHome[] | null][]): Bundle['grids'][number] => ({
  area_id, name: area_id, ground_digest: 'g', ground: { outline: null, facilities: [] }, more: false, parts: parts.map(([digest, homes]) => ({ digest, homes })),
})
const asked: { grids: { area_id: string; parts: string[] }[] }[] = []
function server(...said: Bundle['grids'][]) {
  vi.stubGlobal('fetch', vi.fn(async (_url: string, init: { body: string }) => {
    asked.push(JSON.parse(init.body))
    return new Response(JSON.stringify({ grids: said.shift() ?? [], registers: [] }))
  }))
}

beforeEach(() => {
  asked.length = 0
  me.value = { id: 'a', permissions: ['duty.read'] } as never
})

test('only what the phone does not have is fetched, and what is no longer mine goes, with all that was seen', async () => {
  server([grid('east', [['1', [home('101')]], ['2', [home('102')]]]), grid('west', [['3', [home('901')]]])])
  await refreshBundle()
  expect(homes.value.map((one) => one.id)).toEqual(['101', '102', '901'])

  // A part is the same, the other is another; the digests of both were said.
  server([grid('east', [['1', null], ['4', [home('103')]]]), grid('west', [['3', null]])])
  await refreshBundle()
  expect(asked.at(-1)!.grids.map((one) => one.parts)).toEqual([['1', '2'], ['3']])
  expect(homes.value.map((one) => one.id)).toEqual(['101', '103', '901'])

  // What the browser lost is asked for again.
  kept.delete('seen/bundle/east/0')
  server([grid('east', [['1', null], ['4', null]]), grid('west', [['3', null]])], [grid('east', [['1', [home('101')]], ['4', null]]), grid('west', [['3', null]])])
  await refreshBundle()
  await refreshBundle()
  expect(asked.at(-1)!.grids[0].parts).toEqual(['', '4'])
  expect(homes.value).toHaveLength(3)

  kept.set('seen/duties', '[]')
  kept.set('seen/me', '{}')
  kept.set('unsent/1', '{}')
  server([grid('east', [['1', null], ['4', null]])])
  await refreshBundle()
  expect(grids.value.map((one) => one.area_id)).toEqual(['east'])
  expect([...kept.keys()].filter((name) => name.includes('west') || name === 'seen/duties')).toEqual([])
  expect(['seen/me', 'unsent/1'].every((name) => kept.has(name))).toBe(true)
})
