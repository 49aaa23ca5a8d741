// Who is signed in. The session itself is a cookie that scripts cannot read; here is only what the server says about it.
import { computed, ref } from 'vue'
import { api, ApiError } from '@/api/client'
import type { Me } from '@/api/types'

export const me = ref<Me | null>(null)
let asked = false

/** Asks the server once per page load; null when nobody is signed in. */
export async function currentSession(): Promise<Me | null> {
  if (asked) return me.value
  try {
    me.value = await api.get<Me>('/session')
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    me.value = null
  }
  asked = true
  return me.value
}

export function setSession(session: Me) {
  me.value = session
  asked = true
}

export function forgetSession() {
  me.value = null
  asked = true
}

export async function signOut() {
  await api.del('/session').catch(() => undefined)
  forgetSession()
}

/** Whether the account holds one of these permissions anywhere. The server decides each request again. */
export function can(...permissions: string[]): boolean {
  return permissions.some((p) => me.value?.permissions.includes(p))
}

/** The area of the first grant that names one: where a page starts looking. None: the whole jurisdiction. */
export const homeArea = computed(() => (me.value?.grants.some((g) => !g.area) ? null : (me.value?.grants[0]?.area ?? null)))
