// Colours for grids, so that two that may touch are never alike. The same grids get the same colours each time.
import type { Feature } from 'geojson'
import { boundsOf, type Bounds } from '@/ui/map/model'

/** Light enough for dark letters on them, and told apart without red and green. */
export const PALETTE = ['#cfe3f7', '#fde3b6', '#d5ecd4', '#e7d8f1', '#fbd5d0', '#cdeceb', '#eae5c3', '#dcdfe6']

const meet = (a: Bounds, b: Bounds) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]

/** A place in the palette for each shape by its number: the least used one that none of those around it has. */
export function coloured(shapes: { no: number; feature: Feature }[]): Map<number, number> {
  const boxes = shapes.flatMap(({ no, feature }) => {
    const box = boundsOf([feature])
    return box ? [{ no, box }] : []
  })
  boxes.sort((a, b) => a.no - b.no)
  const given = new Map<number, number>()
  const used = PALETTE.map(() => 0)
  for (const one of boxes) {
    const around = PALETTE.map(() => 0)
    for (const other of boxes) {
      const colour = given.get(other.no)
      if (colour !== undefined && meet(one.box, other.box)) around[colour] += 1
    }
    const order = PALETTE.map((_, colour) => colour).sort((a, b) => around[a] - around[b] || used[a] - used[b] || a - b)
    given.set(one.no, order[0])
    used[order[0]] += 1
  }
  return given
}
