// The day's route: what is due today as stops, and the order the server gave them. Kept sealed, so that it is there without a signal.
// Entry points: `stopsOf`, `askRoute`, `lastRoute`.
import { api } from '@/api/client'
import type { Campaign, CampaignTask, CaseBrief, DayRoute, Due } from '@/api/types'
import { actOf } from '../campaigns/model'
import type { Spot } from '../position'
import { get, put } from '../vault'

/** A stop with what it is and where its page is. */
export interface RouteStop extends Spot {
  key: string
  name: string
  why: string
  to: string
  minutes: number
  must: boolean
}

/** Minutes one stays, by what is done there. */
const STAY = { visit: 10, check: 5, patrol: 30, campaign: 5, case: 15 } as const
/** As many as the server orders at once. */
export const MOST_STOPS = 60
/** With what the server said: it goes when somebody signs out. */
const NAME = 'seen/day-route'

/** Everything due with a place, the most pressing first; what is wanted at one door is one stop. */
export function stopsOf(dues: Due[], doors: { campaign: Campaign; tasks: CampaignTask[] }[], cases: CaseBrief[]): RouteStop[] {
  const stops = new Map<string, RouteStop>()
  const add = (stop: Omit<RouteStop, 'lon' | 'lat'>, at: { lon: number | null; lat: number | null }) => {
    if (at.lon === null || at.lat === null) return
    const known = stops.get(stop.key)
    if (known) Object.assign(known, { minutes: known.minutes + stop.minutes, must: known.must || stop.must, why: known.why.includes(stop.why) ? known.why : `${known.why} · ${stop.why}` })
    else stops.set(stop.key, { ...stop, lon: at.lon, lat: at.lat })
  }
  for (const c of cases.filter((c) => c.late)) add({ key: `case/${c.id}`, name: c.title, why: '', to: `/case/${c.id}`, minutes: STAY.case, must: true }, c)
  for (const { campaign, tasks } of doors)
    for (const task of tasks) add({ key: `${task.subject_id}/${actOf(task.subject_kind)}`, name: task.subject_name || task.area_name, why: campaign.title, to: `/duty/${task.subject_id}/${actOf(task.subject_kind)}`, minutes: STAY.campaign, must: task.state === 'follow' }, task)
  // The grid itself is no place to walk to: it is walked through.
  for (const d of dues.filter((d) => d.subject_kind !== 'grid')) add({ key: `${d.subject_id}/${d.act}`, name: d.subject_name || d.area_name, why: d.rule_name, to: `/duty/${d.subject_id}/${d.act}`, minutes: d.act === 'check' ? STAY.check : STAY.visit, must: d.standing === 'late' || d.standing === 'due' }, d)
  for (const c of cases.filter((c) => !c.late)) add({ key: `case/${c.id}`, name: c.title, why: '', to: `/case/${c.id}`, minutes: STAY.case, must: false }, c)
  return [...stops.values()]
}

/** The stops to be ordered: what must be done, then the nearest. */
export function chosen(stops: RouteStop[], far: (stop: RouteStop) => number): RouteStop[] {
  const ordered = [...stops].sort((a, b) => Number(b.must) - Number(a.must) || far(a) - far(b))
  return ordered.slice(0, MOST_STOPS)
}

export interface KeptRoute {
  at: number
  stops: RouteStop[]
  route: DayRoute
}

/** Asks for the order and keeps it. */
export async function askRoute(start: Spot, stops: RouteStop[], day: { from: string; until: string; lunch: boolean }): Promise<KeptRoute> {
  const route = await api.post<DayRoute>('/day-route', { start, ...day, stops: stops.map(({ key, lon, lat, minutes, must }) => ({ key, lon, lat, minutes, must })) })
  const kept = { at: Date.now(), stops, route }
  await put(NAME, kept).catch(() => undefined)
  return kept
}

/** Today's; yesterday's times say nothing any more. */
export async function lastRoute(): Promise<KeptRoute | null> {
  const kept = await get<KeptRoute>(NAME)
  return kept && new Date(kept.at).toDateString() === new Date().toDateString() ? kept : null
}
