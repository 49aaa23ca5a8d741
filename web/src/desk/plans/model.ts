// What the screens of plans share: shapes of the answers, bands in words, and painting that can be taken back.
import type { Geometry } from 'geojson'

/** What the map is told of a grid. */
export interface GridShape {
  no: number
  name: string
  households: number
  in_band: boolean
  locked: boolean
  /** The middle of its homes, where its name goes. */
  lon?: number
  lat?: number
}

/** A dwelling as the map draws it. */
export interface PlanDwelling {
  id: string
  name: string
  lon: number
  lat: number
  households: number
  /** Its grid in the plan. */
  no: number | null
  cell: Geometry | null
}

/** Two dwellings next to each other. */
export interface PlanLink {
  u: string
  v: string
  /** A river or main road lies between. */
  barrier: boolean
  by_hand: boolean
}

/** Dwellings that were painted together: where they were before. */
export interface Stroke {
  before: Map<string, number>
}

/** The strokes by which one is taken back: dwellings by the grid they were in. */
export function back(stroke: Stroke): Map<number, string[]> {
  const groups = new Map<number, string[]>()
  for (const [id, no] of stroke.before) groups.set(no, [...(groups.get(no) ?? []), id])
  return groups
}
