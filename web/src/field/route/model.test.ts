import { expect, test } from 'vitest'
import type { Campaign, CampaignTask, CaseBrief, Due } from '@/api/types'
import { chosen, MOST_STOPS, stopsOf, type RouteStop } from './model'

const due = (more: Partial<Due>) => ({ subject_id: 's', subject_kind: 'household', act: 'visit', subject_name: '101室', rule_name: '入户走访', standing: 'early', lon: 122, lat: 30, ...more }) as Due
const campaign = { id: 'c', title: '奶粉' } as Campaign
const task = (more: Partial<CampaignTask>) => ({ subject_id: 's', subject_kind: 'household', subject_name: '101室', area_name: '', state: 'open', lon: 122, lat: 30, ...more }) as CampaignTask

test('what is wanted at one door is one stop, and what has no place is none', () => {
  const stops = stopsOf([due({}), due({ subject_id: 'g', subject_kind: 'grid', act: 'patrol' }), due({ subject_id: 'x', lon: null })], [{ campaign, tasks: [task({})] }], [])
  expect(stops).toHaveLength(1)
  expect(stops[0]).toMatchObject({ minutes: 15, must: false, why: '奶粉 · 入户走访', to: '/duty/s/visit' })
})

test('what is late or due today must be done, what is early may wait; late cases come first', () => {
  const late = { id: 'k', title: '井盖', late: true, lon: 122, lat: 30 } as CaseBrief
  const stops = stopsOf([due({ standing: 'late' }), due({ subject_id: 't' })], [], [late])
  expect(stops.map((s) => [s.key, s.must])).toEqual([['case/k', true], ['s/visit', true], ['t/visit', false]])
})

test('too many stops: those that must be, then the nearest', () => {
  const many = Array.from({ length: 80 }, (_, i) => ({ key: String(i), must: i === 79 }) as RouteStop)
  const some = chosen(many, (stop) => -Number(stop.key))
  expect(some).toHaveLength(MOST_STOPS)
  expect(some.slice(0, 3).map((s) => s.key)).toEqual(['79', '78', '77'])
})
