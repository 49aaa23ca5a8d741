// What the desk knows about the place: levels, bounds, categories. Asked once, shared by all pages.
import { useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api } from '@/api/client'
import type { Area, CategoryNode, Page, Place } from '@/api/types'
import { padded, type Bounds } from '@/ui/map/model'
import { lang } from '@/ui/settings'
import { homeArea } from './session'

const HOUR_MS = 3_600_000

export function usePlace() {
  const query = useQuery({ queryKey: ['place'], queryFn: () => api.get<Place>('/place'), staleTime: HOUR_MS })
  return query.data
}

/** Where a page by area begins: the area of the account, or the top of the place for who has the whole of it. */
export function useFirstArea() {
  const top = useQuery({
    queryKey: ['areas', 'top'],
    queryFn: () => api.get<Page<Area>>('/areas', { parent: 'root', limit: 1 }),
    enabled: () => !homeArea.value,
    staleTime: HOUR_MS,
  })
  return computed(() => homeArea.value?.id ?? top.data.value?.items[0]?.id)
}

/** The area that a page is about: as its address says, so that it can be sent to a colleague; else `first`. */
export function useAreaOfPage(first: Readonly<Ref<string | undefined>>) {
  const route = useRoute()
  const router = useRouter()
  return computed<string | undefined>({
    get: () => (typeof route.query.area === 'string' ? route.query.area : first.value),
    set: (area) => void router.replace({ query: { ...route.query, area } }),
  })
}

/** Where the map looks first: the place's own box, or around its centre when no boundary is known yet. */
export function boundsOfPlace(place: Place | undefined): Bounds | null {
  if (!place) return null
  const { lon, lat } = place.center
  return place.bounds ?? padded([lon, lat, lon, lat], 0, 0.05)
}

export interface FlatCategory {
  code: string
  name: string
  /** With its parents: `城市管理 / 市政设施 / 路灯`. */
  path: string
  leaf: boolean
  urgent: boolean
}

/** The category tree, and the same flat for searching. */
export function useCategories() {
  const query = useQuery({
    queryKey: ['categories'],
    queryFn: async () => {
      const got = await api.get<CategoryNode[] | Page<CategoryNode>>('/categories')
      return Array.isArray(got) ? got : got.items
    },
    staleTime: HOUR_MS,
  })
  const tree = computed(() => query.data.value ?? [])
  const flat = computed(() => flatten(tree.value, ''))
  const nameOf = (code: string) => flat.value.find((c) => c.code === code)?.path ?? code
  return { tree, flat, nameOf }
}

export function categoryName(node: { name: string; name_en?: string }): string {
  return lang.value === 'en' && node.name_en ? node.name_en : node.name
}

function flatten(nodes: CategoryNode[], above: string): FlatCategory[] {
  return nodes.flatMap((node) => {
    const name = categoryName(node)
    const path = above ? `${above} / ${name}` : name
    const children = node.children ?? []
    const own = { code: node.code, name, path, leaf: children.length === 0, urgent: node.urgent }
    return [own, ...flatten(children, path)]
  })
}
