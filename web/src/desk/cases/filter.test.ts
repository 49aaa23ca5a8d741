import { describe, expect, it } from 'vitest'
import { filterFromQuery, queryFromFilter } from './filter'

describe('filters in the address bar', () => {
  it('come back as they were', () => {
    const filter = { queue: 'late' as const, category: 'S1', urgent: true, q: '路灯' }
    expect(filterFromQuery(queryFromFilter(filter))).toEqual(filter)
  })
  it('take nothing they do not know', () => {
    expect(filterFromQuery({ queue: 'mine', limit: '99999', evil: '1', state: ['a', 'b'], urgent: 'yes' })).toEqual({ queue: 'mine' })
  })
})
