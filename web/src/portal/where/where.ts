// A place a resident has said: by position, by a point on the map, by words, or by choosing an area.
// Entry points: `Where`, `findMe`, `locate`. A position is asked for once, when the resident presses the button.
import { api } from '@/api/client'
import type { Located } from '@/api/types'

export interface Where {
  lon: number | null
  lat: number | null
  /** Metres around the position; null when it was not measured. */
  accuracy: number | null
  address: string
  area_id: string | null
  /** The area's full name, to be shown back. */
  area_name: string
}

export const nowhere = (): Where => ({ lon: null, lat: null, accuracy: null, address: '', area_id: null, area_name: '' })

/** What is sent; empty parts are left out. */
export function whereBody(w: Where): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  if (w.lon !== null && w.lat !== null) Object.assign(body, { lon: w.lon, lat: w.lat, datum: 'wgs84' })
  if (w.address.trim()) body.address = w.address.trim()
  if (w.area_id) body.area_id = w.area_id
  return body
}

export type PositionProblem = 'denied' | 'unavailable' | 'missing'

/** Asks the phone where it is; rejects with the kind of problem. */
export function findMe(timeoutMs = 12_000): Promise<{ lon: number; lat: number; accuracy: number }> {
  return new Promise((resolve, reject: (problem: PositionProblem) => void) => {
    if (!('geolocation' in navigator) || !isSecureContext) return reject('missing')
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lon: round(coords.longitude), lat: round(coords.latitude), accuracy: Math.round(coords.accuracy) }),
      (error) => reject(error.code === error.PERMISSION_DENIED ? 'denied' : 'unavailable'),
      { enableHighAccuracy: true, timeout: timeoutMs, maximumAge: 30_000 },
    )
  })
}

/** A metre is the sixth decimal: more says nothing. */
export const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6

/** Which area a point lies in; null outside the place. */
export async function locate(lon: number, lat: number): Promise<{ id: string; name: string } | null> {
  const found = await api.get<Located>('/areas/locate', { lon, lat, datum: 'wgs84' })
  return found.area ? { id: found.area.id, name: found.area.full_name || found.chain.map((a) => a.name).join(' ') } : null
}
