// What the case pages ask the server. Keys start with `cases` (lists) or `case` (one), which live events refresh.
import { keepPreviousData, useInfiniteQuery, useQuery, type QueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { api } from '@/api/client'
import type { CaseBrief, CaseCounts, CaseDetail, CaseFilter, NearbyCase, Page } from '@/api/types'
import { filterForServer } from './filter'

export const PAGE_SIZE = 40

export function useCaseList(filter: MaybeRefOrGetter<CaseFilter>, limit = PAGE_SIZE) {
  const query = useInfiniteQuery({
    queryKey: ['cases', 'list', computed(() => toValue(filter)), limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<CaseBrief>>('/cases', { ...filterForServer(toValue(filter)), limit, after: pageParam || undefined }, signal),
    initialPageParam: '',
    getNextPageParam: (last: Page<CaseBrief>) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  })
  const items = computed(() => query.data.value?.pages.flatMap((p) => p.items) ?? [])
  return { ...query, items }
}

export function useCaseCounts(filter: MaybeRefOrGetter<CaseFilter>) {
  return useQuery({
    queryKey: ['cases', 'counts', computed(() => toValue(filter))],
    queryFn: ({ signal }) => api.get<CaseCounts>('/cases/counts', filterForServer(toValue(filter)), signal),
    placeholderData: keepPreviousData,
  })
}

export function useCase(id: MaybeRefOrGetter<string>, purpose: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['case', computed(() => toValue(id)), computed(() => toValue(purpose))],
    enabled: computed(() => Boolean(toValue(id))),
    queryFn: ({ signal }) => api.get<CaseDetail>(`/cases/${toValue(id)}`, { purpose: toValue(purpose) }, signal),
  })
}

/**
 * Shows the case as an action left it. A look at it that is still under way began before the action and would put the
 * old state back when it comes in late: it is dropped.
 */
export async function showUpdated(queries: QueryClient, purpose: string, updated: CaseDetail) {
  const key = ['case', updated.id, purpose]
  await queries.cancelQueries({ queryKey: key, exact: true })
  queries.setQueryData(key, updated)
  void queries.invalidateQueries({ queryKey: ['cases'] })
}

/** Cases that may be the same matter. */
export function useNearby(id: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['case', computed(() => toValue(id)), 'nearby'],
    enabled: computed(() => Boolean(toValue(id)) && toValue(enabled)),
    queryFn: ({ signal }) => api.get<NearbyCase[]>(`/cases/${toValue(id)}/nearby`, {}, signal),
  })
}
