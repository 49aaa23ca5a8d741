import { describe, expect, it } from 'vitest'
import { goOn, patrolled, pause, stepped, walked, type Patrol } from './track'

const T = 1_700_000_000_000
const fresh = (): Patrol => ({ id: 'p', grid: 'g', name: '第一网格', begun: T, steps: [], pauses: [], paused: null })
/** So many metres east. */
const east = (m: number) => ({ lon: 122 + m / 96_486, lat: 29.9 })

describe('a track', () => {
  it('keeps a position for each fifteen metres or minute, in order', () => {
    const patrol = fresh()
    expect(stepped(patrol, east(0), T + 1_000)).toBe(true)
    expect(stepped(patrol, east(5), T + 5_000)).toBe(false)
    expect(stepped(patrol, east(20), T + 9_000)).toBe(true)
    expect(stepped(patrol, east(21), T + 70_000)).toBe(true)
    expect(stepped(patrol, east(90), T + 60_000)).toBe(false)
    expect(patrol.steps.map((step) => step.s)).toEqual([1, 9, 70])
    expect(walked(patrol)).toBeCloseTo(21, 0)
  })

  it('does not wander when the position is only roughly known', () => {
    const patrol = fresh()
    stepped(patrol, { ...east(0), accuracy_m: 60 }, T)
    expect(stepped(patrol, { ...east(25), accuracy_m: 60 }, T + 5_000)).toBe(false)
    expect(stepped(patrol, { ...east(35), accuracy_m: 60 }, T + 9_000)).toBe(true)
  })

  it('rests in a pause: no positions, no minutes', () => {
    const patrol = fresh()
    stepped(patrol, east(0), T)
    pause(patrol, T + 600_000)
    expect(stepped(patrol, east(500), T + 700_000)).toBe(false)
    expect(patrolled(patrol, T + 900_000)).toBe(600)
    goOn(patrol, T + 900_000)
    expect(patrol.pauses).toEqual([{ from_s: 600, to_s: 900 }])
    expect(patrolled(patrol, T + 1_200_000)).toBe(900)
    goOn(patrol, T + 1_200_000)
    expect(patrol.pauses.length).toBe(1)
  })

  it('stays in order when the clock of the phone is put back', () => {
    const patrol = fresh()
    stepped(patrol, east(0), T + 60_000)
    pause(patrol, T + 600_000)
    goOn(patrol, T + 300_000)
    expect(stepped(patrol, east(100), T + 30_000)).toBe(false)
    pause(patrol, T + 400_000)
    goOn(patrol, T + 500_000)
    expect(patrol.pauses).toEqual([{ from_s: 600, to_s: 600 }, { from_s: 600, to_s: 600 }])
  })
})
