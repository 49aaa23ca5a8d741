// The track of a patrol on the phone: which positions are kept, for how long somebody has patrolled. Pure: time and places come in.
import { metres, type Spot } from '../position'

/** A position is kept after so many metres or seconds: enough to see the round, little to send. */
export const STEP_M = 15
export const STEP_S = 60
/** As the server takes it. */
export const MOST_STEPS = 3_000

export interface Step extends Spot {
  /** Seconds after the beginning. */
  s: number
  accuracy_m?: number
}

export interface Patrol {
  id: string
  grid: string
  name: string
  /** Milliseconds. */
  begun: number
  steps: Step[]
  pauses: { from_s: number; to_s: number }[]
  /** Paused since, in milliseconds. */
  paused: number | null
}

/** Within a day, however the phone's clock was put meanwhile. */
const DAY_S = 86_400
const since = (patrol: Patrol, ms: number) => Math.min(DAY_S, Math.max(0, Math.floor((ms - patrol.begun) / 1000)))

/** Keeps a position when it tells something new; nothing while paused, and nothing that comes out of order. */
export function stepped(patrol: Patrol, spot: Spot & { accuracy_m?: number }, ms: number): boolean {
  const s = since(patrol, ms)
  const last = patrol.steps.at(-1)
  if (patrol.paused !== null || patrol.steps.length >= MOST_STEPS || (last && s <= last.s)) return false
  if (last && s - last.s < STEP_S && metres(last, spot) < Math.max(STEP_M, (spot.accuracy_m ?? 0) / 2)) return false
  patrol.steps.push({ s, lon: spot.lon, lat: spot.lat, accuracy_m: spot.accuracy_m })
  return true
}

export function pause(patrol: Patrol, ms: number) {
  patrol.paused ??= ms
}

export function goOn(patrol: Patrol, ms: number) {
  if (patrol.paused === null) return
  const from_s = Math.max(since(patrol, patrol.paused), patrol.pauses.at(-1)?.to_s ?? 0)
  patrol.pauses.push({ from_s, to_s: Math.max(from_s, since(patrol, ms)) })
  patrol.paused = null
}

/** Seconds patrolled until a moment, without pauses. */
export function patrolled(patrol: Patrol, ms: number): number {
  const rested = patrol.pauses.reduce((sum, p) => sum + p.to_s - p.from_s, 0)
  const now = patrol.paused === null ? 0 : since(patrol, ms) - since(patrol, patrol.paused)
  return Math.max(0, since(patrol, ms) - rested - now)
}

/** Metres along what was kept. */
export const walked = (patrol: Patrol) => patrol.steps.slice(1).reduce((sum, step, i) => sum + metres(patrol.steps[i], step), 0)
