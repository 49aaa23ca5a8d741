// What this worker must hear now: calls to come, warnings, new work. Asked every minute while the page is seen.
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import type { Page } from '@/api/types'

export interface Notice {
  id: string
  case_id: string | null
  project_id: string | null
  kind: string
  text: string
  at: string
  read: boolean
}

export const notices = ref<Notice[]>([])
export const urgentCount = computed(() => notices.value.filter((n) => !n.read).length)
/** Kinds for which somebody must go at once. */
export const isCall = (n: Notice) => n.kind === 'must_come' || n.kind === 'urgent'

export async function loadNotices() {
  const page = await api.get<Page<Notice>>('/notices', { limit: 50 }).catch(() => null)
  if (page) notices.value = page.items
}

export async function markRead(notice: Notice) {
  if (notice.read) return
  await api.post(`/notices/${notice.id}/read`)
  notices.value = notices.value.map((n) => (n.id === notice.id ? { ...n, read: true } : n))
}
