// Keeps what was typed in a form until it has been sent: in memory of this tab (sessionStorage), never on the server.
// Entry point: `useDraft`. It must not hold secrets (passwords) or outlive the tab.
import { onScopeDispose, reactive, watch } from 'vue'

const PREFIX = 'wangge.draft.'
const SAVE_AFTER_MS = 250

export interface Draft<T> {
  form: T
  /** Forgets what was typed; call after the server has confirmed. */
  clear(): void
  /** Whether something was restored from before. */
  restored: boolean
}

/** A reactive form that survives reloads, errors and a trip to another page. Fields not in `empty` are dropped. */
export function useDraft<T extends object>(key: string, empty: () => T): Draft<T> {
  const stored = read(PREFIX + key)
  const form = reactive({ ...empty(), ...pick(stored, Object.keys(empty())) }) as T
  let timer: ReturnType<typeof setTimeout> | undefined
  let skip = false
  const save = () => {
    clearTimeout(timer)
    try {
      sessionStorage.setItem(PREFIX + key, JSON.stringify(form))
    } catch {
      // Storage full or forbidden: the form still works, it is only not kept over a reload.
    }
  }
  const stop = watch(
    () => form,
    () => {
      if (skip) return void (skip = false)
      clearTimeout(timer)
      timer = setTimeout(save, SAVE_AFTER_MS)
    },
    { deep: true },
  )
  const onHide = () => save()
  addEventListener('pagehide', onHide)
  onScopeDispose(() => {
    stop()
    if (timer) save()
    removeEventListener('pagehide', onHide)
  })
  return {
    form,
    restored: stored !== null,
    clear() {
      clearTimeout(timer)
      timer = undefined
      skip = true
      Object.assign(form, empty())
      sessionStorage.removeItem(PREFIX + key)
    },
  }
}

function read(key: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(sessionStorage.getItem(key) ?? 'null')
    return value && typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function pick(from: Record<string, unknown> | null, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((k) => from && k in from).map((k) => [k, from?.[k]]))
}
