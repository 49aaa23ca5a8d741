// Who is signed in on this phone. The session is a cookie that scripts cannot read; without signal the worker is the one
// the server named last, so that the day's work goes on.
import { ref } from 'vue'
import { api, ApiError } from '@/api/client'
import type { Me } from '@/api/types'
import { clearIfLost, forgetWhenStale } from './sync/lost'
import { forgetSeen, put, remembered } from './vault'

const NAME = 'me'
export const me = ref<Me | null>(null)
let asked = false

/** Asks once per page load; null when nobody is signed in. */
export async function currentSession(): Promise<Me | null> {
  if (asked) return me.value
  await forgetWhenStale()
  try {
    me.value = await remembered(NAME, () => api.get<Me>('/session'))
    asked = true
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && !error.offline)) throw error
    if (error.status === 401) await clearIfLost()
    asked = !error.offline
  }
  return me.value
}

export function setSession(session: Me) {
  me.value = session
  asked = true
  void put(`seen/${NAME}`, session).catch(() => undefined)
}

/** Signed out: what the server told this worker goes from the phone; what has not been sent stays. */
export function forgetSession() {
  me.value = null
  asked = true
  void forgetSeen()
}
