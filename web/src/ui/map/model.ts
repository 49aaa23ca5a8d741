// What both drawings of the map (WebGL and SVG) agree on.
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson'

export interface LonLat {
  lon: number
  lat: number
}

export type Bounds = [west: number, south: number, east: number, north: number]

/** Area boundaries: `id`, `name`, optional `shade` 0..1 (darker is more). */
export type Areas = FeatureCollection<Geometry, { id: string; name: string; level?: string; shade?: number | null }>

/** Case points or clusters of them (`count` > 1). */
export type Points = FeatureCollection<
  Geometry,
  { id?: string; title?: string; number?: string; count?: number; late?: boolean; urgent?: boolean; due?: boolean }
>

export interface BaseMap {
  style_url?: string
  tiles?: string
  attribution?: string
}

/** Vector tiles of the server to draw: the path of each kind below the API. They replace boundaries where there is WebGL. */
export interface Tiles {
  areas: string
  facilities?: string
  /** Cases, with the filter of the list behind `?`: single ones close up, counts per square from afar. */
  cases?: string
  /** Another number: the cases have changed and are fetched anew. */
  changed?: number
  /** Key of the level of areas to show. */
  level?: string
  /** Beginning of the codes of the areas to show. */
  under?: string
}

export const NO_AREAS: Areas = { type: 'FeatureCollection', features: [] }
export const NO_POINTS: Points = { type: 'FeatureCollection', features: [] }

function eachPosition(geometry: Geometry, visit: (p: Position) => void) {
  if (geometry.type === 'GeometryCollection') return geometry.geometries.forEach((g) => eachPosition(g, visit))
  const walk = (c: unknown): void => {
    if (!Array.isArray(c)) return
    if (typeof c[0] === 'number') visit(c as Position)
    else c.forEach(walk)
  }
  walk(geometry.coordinates)
}

/** The box around features, or null for none. */
export function boundsOf(features: Feature[]): Bounds | null {
  let box: Bounds | null = null
  for (const feature of features) {
    if (!feature.geometry) continue
    eachPosition(feature.geometry, ([x, y]) => {
      box = box
        ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)]
        : [x, y, x, y]
    })
  }
  return box
}

/** A box with room around it; never empty, so that one point can be shown. */
export function padded(box: Bounds, share = 0.06, least = 0.002): Bounds {
  const dx = Math.max((box[2] - box[0]) * share, least)
  const dy = Math.max((box[3] - box[1]) * share, least)
  return [box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy]
}

/** Where to write an area's name: the middle of the box of its largest ring. */
export function labelPoint(geometry: Geometry): Position | null {
  const rings: Position[][] =
    geometry.type === 'Polygon' ? [geometry.coordinates[0]] : geometry.type === 'MultiPolygon' ? geometry.coordinates.map((p) => p[0]) : []
  let best: Bounds | null = null
  let size = -1
  for (const ring of rings) {
    const box = boundsOf([{ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: ring } }])
    if (box && (box[2] - box[0]) * (box[3] - box[1]) > size) {
      size = (box[2] - box[0]) * (box[3] - box[1])
      best = box
    }
  }
  return best ? [(best[0] + best[2]) / 2, (best[1] + best[3]) / 2] : null
}

/** Whether this browser can draw with WebGL; asked once, the context is given back. */
export function canWebgl(): boolean {
  try {
    const gl = document.createElement('canvas').getContext('webgl2')
    gl?.getExtension('WEBGL_lose_context')?.loseContext()
    return gl !== null
  } catch {
    return false
  }
}
