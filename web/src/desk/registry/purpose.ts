// Why this account looks at people just now: asked once a tab, sent with every look, shown above what is seen.
import { ref, watch } from 'vue'

export const PURPOSES = ['service', 'visit', 'intake', 'registry'] as const
export type Purpose = (typeof PURPOSES)[number]
const KEY = 'wangge.registry.purpose'
const isPurpose = (text: string | null): text is Purpose => (PURPOSES as readonly string[]).includes(text ?? '')
const kept = sessionStorage.getItem(KEY)

export const purpose = ref<Purpose | undefined>(isPurpose(kept) ? kept : undefined)
watch(purpose, (now) => {
  if (now) sessionStorage.setItem(KEY, now)
  else sessionStorage.removeItem(KEY)
})
