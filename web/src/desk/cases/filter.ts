// The filters of the case lists live in the address bar, so that a view can be sent to a colleague as a link.
import { computed } from 'vue'
import { useRoute, useRouter, type LocationQuery } from 'vue-router'
import type { CaseFilter } from '@/api/types'

const TEXT = ['queue', 'state', 'category', 'area', 'unit', 'worker', 'channel', 'q', 'received_from', 'received_to', 'due_before', 'sort'] as const
const FLAGS = ['urgent', 'supervised'] as const

/** Only known names are taken from an address, whoever wrote it. */
export function filterFromQuery(query: LocationQuery): CaseFilter {
  const filter: Record<string, unknown> = {}
  for (const key of TEXT) if (typeof query[key] === 'string' && query[key]) filter[key] = query[key]
  for (const key of FLAGS) if (query[key] === 'true') filter[key] = true
  return filter as CaseFilter
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
