// What a person chose for this browser: language and type size. Nothing about the person is kept.
import { ref, watchEffect } from 'vue'

export type Lang = 'zh-CN' | 'en'
export type TypeSize = 'normal' | 'large'

function stored<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(key) as T | null
    return value && allowed.includes(value) ? value : otherwise
  } catch {
    return otherwise
  }
}

function keep(key: string, value: string) {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Private windows may forbid it: the choice then lasts as long as the page.
  }
}

const preferred: Lang = navigator.language?.toLowerCase().startsWith('en') ? 'en' : 'zh-CN'

export const lang = ref<Lang>(stored('wangge.lang', ['zh-CN', 'en'], preferred))
export const typeSize = ref<TypeSize>(stored('wangge.type', ['normal', 'large'], 'normal'))

/** Keeps the document's attributes in step with the choices. Call once per page. */
export function applySettings() {
  watchEffect(() => {
    document.documentElement.lang = lang.value
    keep('wangge.lang', lang.value)
  })
  watchEffect(() => {
    document.documentElement.dataset.type = typeSize.value
    keep('wangge.type', typeSize.value)
  })
}
