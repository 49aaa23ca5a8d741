// The filters of the case lists live in the address bar, so that a view can be sent to a colleague as a link.
import { computed } from 'vue'
import { useRoute, useRouter, type LocationQuery } from 'vue-router'
import type { CaseFilter } from '@/api/types'

const TEXT = ['queue', 'state', 'category', 'area', 'unit', 'worker', 'channel', 'team', 'q', 'received_from', 'received_to', 'handled_from', 'handled_to', 'ended_from', 'ended_to', 'level', 'due_before', 'sort'] as const
const FLAGS = ['urgent', 'supervised', 'on_the_spot', 'on_time', 'answered'] as const

/** Only known names are taken from an address, whoever wrote it. */
export function filterFromQuery(query: LocationQuery): CaseFilter {
  const filter: Record<string, unknown> = {}
  for (const key of TEXT) if (typeof query[key] === 'string' && query[key]) filter[key] = query[key]
  for (const key of FLAGS) if (query[key] === 'true') filter[key] = true
  return filter as CaseFilter
}

const DAY_MS = 86_400_000
const OVER = new Set(['closed', 'declined', 'merged', 'withdrawn'])

/** The states a filter asks for; none for any. */
export const statesOf = (filter: CaseFilter): string[] => filter.state?.split(',').filter(Boolean) ?? []

/** The day after a civil date, so that the last day of a range is wholly in it. */
function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
}

const midnight = (date: string) => `${date}T00:00:00+08:00`

/**
 * A filter as the server takes it: days become moments in Shanghai; what is over has no deadline, so a list that asks
 * for it, or for words anywhere, goes by the time of receiving.
 */
export function filterForServer(filter: CaseFilter): CaseFilter {
  const sent = { ...filter }
  for (const key of ['received_from', 'handled_from', 'ended_from'] as const) {
    const day = sent[key]
    if (day?.length === 10) sent[key] = midnight(day)
  }
  for (const key of ['received_to', 'handled_to', 'ended_to'] as const) {
    const day = sent[key]
    if (day?.length === 10) sent[key] = midnight(dayAfter(day))
  }
  const over = statesOf(sent).some((state) => OVER.has(state))
  sent.sort ??= over || sent.q || sent.received_from || sent.handled_from || sent.ended_from ? 'received' : 'due'
  return sent
}

export function queryFromFilter(filter: CaseFilter): Record<string, string> {
  const query: Record<string, string> = {}
  for (const key of TEXT) if (filter[key]) query[key] = String(filter[key])
  for (const key of FLAGS) if (filter[key]) query[key] = 'true'
  return query
}

export function useCaseFilter() {
  const route = useRoute()
  const router = useRouter()
  const filter = computed(() => filterFromQuery(route.query))
  const change = (changes: Partial<CaseFilter>) =>
    router.replace({ query: queryFromFilter({ ...filter.value, ...changes }) })
  const reset = (kept: CaseFilter = {}) => router.replace({ query: queryFromFilter(kept) })
  return { filter, change, reset }
}
