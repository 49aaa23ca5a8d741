import { expect, test } from 'vitest'
import { distance, eighth, metres } from './position'

const o = { lon: 122, lat: 30 }

test('a minute of latitude is a sea mile; of longitude less', () => {
  expect(metres(o, { lon: 122, lat: 30 + 1 / 60 })).toBeCloseTo(1853, -1)
  expect(metres(o, { lon: 122 + 1 / 60, lat: 30 })).toBeCloseTo(1605, -1)
  expect(metres(o, o)).toBe(0)
})

test('directions in eighths', () => {
  const to = (dx: number, dy: number) => eighth(o, { lon: 122 + dx, lat: 30 + dy })
  expect([to(0, 1), to(0.01, 0), to(0, -1), to(-0.01, 0)]).toEqual([0, 2, 4, 6])
  expect(to(-0.0001, 1)).toBe(0)
})

test('distances as people say them', () => {
  expect(distance(83)).toEqual({ value: 80, unit: 'm' })
  expect(distance(1234)).toEqual({ value: 1.2, unit: 'km' })
})
