import type { Feature } from 'geojson'
import { expect, test } from 'vitest'
import { coloured, PALETTE } from './colours'

const square = (x: number, y: number): Feature => ({
  type: 'Feature',
  properties: {},
  geometry: { type: 'Polygon', coordinates: [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]] },
})

test('grids that touch differ, all colours are used, and the order of the list does not matter', () => {
  const shapes = Array.from({ length: 64 }, (_, i) => ({ no: i + 1, feature: square(i % 8, Math.floor(i / 8)) }))
  const colours = coloured(shapes)
  expect(new Set(colours.values()).size).toBe(PALETTE.length)
  for (let i = 0; i < 64; i++)
    for (const j of [i + 1, i + 8])
      if (j < 64 && (j !== i + 1 || j % 8)) expect(colours.get(i + 1)).not.toBe(colours.get(j + 1))
  expect([...coloured([...shapes].reverse())].sort()).toEqual([...colours].sort())
})

test('a grid without a shape has no colour', () => {
  const empty: Feature = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [] } }
  expect(coloured([{ no: 1, feature: empty }]).size).toBe(0)
})
