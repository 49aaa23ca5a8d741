// Live hints while a resident types: what it is understood as, what to call instead, what is already known nearby.
// Only the newest answer counts; without a network there are simply no hints.
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { api } from '@/api/client'
import type { Suggestion } from '@/api/types'

export interface Hints extends Partial<Pick<Suggestion, 'categories' | 'urgent_hint' | 'out_of_scope'>> {
  /** Matters like it, near and recent: kind, state and day only. */
  nearby?: { category_name: string; state_name: string; received_on: string; distance_m: number | null }[]
}

export const HINT_WAIT_MS = 600
/** Fewer characters say too little. */
export const HINT_LEAST_CHARS = 4

export function useHints(input: () => { body: string; where: Record<string, unknown> }): Ref<Hints | null> {
  const hints = ref<Hints | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0
  const ask = async () => {
    const mine = ++asked
    const { body, where } = input()
    if (body.trim().length < HINT_LEAST_CHARS) return void (hints.value = null)
    const found = await api.post<Hints>('/portal/suggest', { body: body.trim(), ...where }).catch(() => null)
    if (mine === asked) hints.value = found
  }
  watch(
    () => JSON.stringify(input()),
    () => {
      clearTimeout(timer)
      timer = setTimeout(ask, HINT_WAIT_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    clearTimeout(timer)
    asked++
  })
  return hints
}
