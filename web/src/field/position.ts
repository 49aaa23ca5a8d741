// Where the worker is, asked when a form or a list needs it, never followed. How far and in which direction things are.
import { ref } from 'vue'

export interface Spot {
  lon: number
  lat: number
}

export const here = ref<Spot | null>(null)
const EARTH_M = 6_371_000
const WAIT_MS = 10_000

/** Asks the phone once; null when it cannot or may not tell. */
export function findMe(): Promise<Spot | null> {
  return new Promise((resolve) => {
    if (!('geolocation' in navigator)) return resolve(null)
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        here.value = { lon: Math.round(coords.longitude * 1e6) / 1e6, lat: Math.round(coords.latitude * 1e6) / 1e6 }
        resolve(here.value)
      },
      () => resolve(null),
      { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: 15_000 },
    )
  })
}

const rad = (degrees: number) => (degrees * Math.PI) / 180

/** Metres between two points (haversine). */
export function metres(a: Spot, b: Spot): number {
  const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lon - a.lon) / 2) ** 2
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** The direction from one point to another in eighths of the compass: 0 north, 2 east, 4 south, 6 west. */
export function eighth(a: Spot, b: Spot): number {
  const y = Math.sin(rad(b.lon - a.lon)) * Math.cos(rad(b.lat))
  const x = Math.cos(rad(a.lat)) * Math.sin(rad(b.lat)) - Math.sin(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.cos(rad(b.lon - a.lon))
  return Math.round(((Math.atan2(y, x) * 180) / Math.PI + 360) / 45) % 8
}

/** `80`, `1.2` with the unit's key: metres to ten, kilometres to a tenth. */
export function distance(m: number): { value: number; unit: 'm' | 'km' } {
  return m < 1000 ? { value: Math.round(m / 10) * 10, unit: 'm' } : { value: Math.round(m / 100) / 10, unit: 'km' }
}
