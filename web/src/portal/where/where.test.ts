import { expect, test } from 'vitest'
import { nowhere, round, whereBody } from './where'

test('only what was said is sent', () => {
  expect(whereBody(nowhere())).toEqual({})
  expect(whereBody({ ...nowhere(), address: '  中兴路 128 号 ' })).toEqual({ address: '中兴路 128 号' })
  expect(whereBody({ ...nowhere(), lon: 0, lat: 30.1, area_id: 'a' })).toEqual({ lon: 0, lat: 30.1, datum: 'wgs84', area_id: 'a' })
})

test('half a position is no position', () => {
  expect(whereBody({ ...nowhere(), lon: 122.1 })).toEqual({})
})

test('positions are rounded to about a decimetre', () => {
  expect(round(122.12345678)).toBe(122.123457)
})
