// Who is signed in on this phone. The session is a cookie that scripts cannot read.
import { ref } from 'vue'
import { api, ApiError } from '@/api/client'
import type { Me } from '@/api/types'

export const me = ref<Me | null>(null)
let asked = false

/** Asks once per page load; null when nobody is signed in. */
export async function currentSession(): Promise<Me | null> {
  if (asked) return me.value
  try {
    me.value = await api.get<Me>('/session')
    asked = true
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && !error.offline)) throw error
    asked = !error.offline
  }
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
