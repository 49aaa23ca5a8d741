import { describe, expect, it } from 'vitest'
import { filterForServer, filterFromQuery, queryFromFilter } from './filter'

describe('filters for the server', () => {
  it('turn days into moments in Shanghai, the last day included', () => {
    const sent = filterForServer({ received_from: '2026-02-01', received_to: '2026-02-28' })
    expect(sent.received_from).toBe('2026-02-01T00:00:00+08:00')
    expect(sent.received_to).toBe('2026-03-01T00:00:00+08:00')
  })
  it('go by the deadline unless what is over is asked for', () => {
    expect(filterForServer({}).sort).toBe('due')
    expect(filterForServer({ state: 'closed' }).sort).toBe('received')
    expect(filterForServer({ q: '路灯', sort: 'due' }).sort).toBe('due')
  })
})

describe('filters in the address bar', () => {
  it('come back as they were', () => {
    const filter = { queue: 'late' as const, category: 'S1', urgent: true, q: '路灯' }
    expect(filterFromQuery(queryFromFilter(filter))).toEqual(filter)
  })
  it('take nothing they do not know', () => {
    expect(filterFromQuery({ queue: 'mine', limit: '99999', evil: '1', state: ['a', 'b'], urgent: 'yes' })).toEqual({ queue: 'mine' })
  })
})
