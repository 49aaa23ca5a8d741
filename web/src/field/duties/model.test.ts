import { describe, expect, it } from 'vitest'
import type { Due } from '@/api/types'
import { emptyChange } from '../homes/changes'
import { inShanghai, outcomesOf, visitBody, wanting, type VisitForm, type Errand } from './model'

const due = (more: Partial<Due> = {}): Due => ({
  id: 'o', rule: 'home', rule_name: '入户走访', act: 'visit', subject_kind: 'household', subject_id: 's', subject_name: '1层101室', area_id: 'a',
  area_name: '第一网格', lon: null, lat: null, period: '2026', nth: 1, need: 1, got: 0, in_minutes: false, standing: 'due', from: '2026-01-01',
  planned: '2026-03-01', until: '2026-03-31', owed_until: '2026-12-31', tried: 0, reason: null, photo: false, position: true, talk: true, people: 1, ...more,
})
const form = (more: Partial<VisitForm> = {}): VisitForm => ({ id: 'v', outcome: 'met', minutes: '', talk: '', photos: [], companions: [], matters: [], change: emptyChange(), begun: Date.UTC(2026, 2, 11), sent: [], tasks: {}, ...more })

const to: Errand = { act: 'visit', kind: 'household', subject: 's', name: '101室', area: 'a', areaName: '海晏第一网格' }

describe('a visit', () => {
  it('is sent with the moment as the clocks of the place show it, without what was left empty', () => {
    expect(inShanghai(Date.UTC(2026, 2, 10, 18, 30))).toBe('2026-03-11T02:30:00.000+08:00')
    expect(visitBody(to, form({ talk: '  都好 ' }), { lon: 122.3, lat: 29.9 })).toEqual({
      id: 'v', act: 'visit', subject_kind: 'household', subject_id: 's', at: '2026-03-11T08:00:00.000+08:00', minutes: 0, outcome: 'met',
      position: { lon: 122.3, lat: 29.9 }, talk: '都好', photos: [], companions: [], matters: [],
    })
    expect(visitBody(to, form(), null)).toMatchObject({ position: undefined, talk: undefined })
  })

  it('of two wants somebody along', () => {
    const pair = [due({ people: 2 })]
    const said = { talk: '都好' }
    expect(wanting(pair, form(said), {})).toEqual(['people'])
    const along = form({ ...said, companions: [{ id: 'w', name: '李四' }] })
    expect(wanting(pair, along, {})).toEqual([])
    expect(visitBody(to, along, null)).toMatchObject({ companions: ['w'] })
  })

  it('says what it still wants to count, of any of the rules it is for, and nothing where nobody was met', () => {
    const both = [due(), due({ photo: true, position: false, talk: false })]
    expect(wanting(both, form(), null)).toEqual(['photo', 'position', 'talk'])
    expect(wanting(both, form({ talk: '都好', photos: ['x'] }), { lon: 1, lat: 2 })).toEqual([])
    expect(wanting(both, form({ outcome: 'nobody_home' }), null)).toEqual([])
  })

  it('can go as such a subject can: nobody is not at home in a grid', () => {
    expect(outcomesOf('grid')).toEqual(['met'])
    expect(outcomesOf('facility')).toEqual(['met', 'closed'])
    expect(outcomesOf('household')).toContain('nobody_home')
    expect(outcomesOf('household')).not.toContain('closed')
  })
})
