// Keeps what was typed in a form until it has been sent: in memory of this tab (sessionStorage), never on the server.
// Entry points: `useDraft` (a form that is always there), `useDialogDraft` (one that opens and closes). It must not hold secrets
// (passwords) or outlive the tab.
import { onScopeDispose, reactive, ref, watch, type Ref } from 'vue'

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

export interface DialogDraft<T> {
  /** The form while the dialog is open. */
  form: Ref<T | null>
  /** Whether something was restored from before. */
  restored: Ref<boolean>
  /** Opens it for `key` (what is edited, or `new`), with what was typed there before over what `start` gives. */
  open(key: string, start: () => T): void
  /** Closes it; what was typed is kept. */
  close(): void
  /** Puts it back to what it starts with. */
  discard(): void
  /** Closes it and forgets what was typed; call after the server has confirmed. */
  sent(): void
}

/** The form of a dialog: what was typed is kept over an accidental close, a reload and a trip to another page. */
export function useDialogDraft<T extends object>(name: string): DialogDraft<T> {
  const form = ref<T | null>(null) as Ref<T | null>
  const restored = ref(false)
  let key = ''
  let start: () => T = () => ({}) as T
  let untouched = ''

  const stop = watch(
    form,
    (now) => {
      if (!now) return
      const text = JSON.stringify(now)
      try {
        if (text === untouched) sessionStorage.removeItem(key)
        else sessionStorage.setItem(key, text)
      } catch {
        // As above: only not kept.
      }
    },
    { deep: true, flush: 'sync' },
  )
  onScopeDispose(stop)
  return {
    form,
    restored,
    open(of, from) {
      key = `${PREFIX}${name}.${of}`
      start = from
      const fresh = from()
      untouched = JSON.stringify(fresh)
      const stored = read(key)
      restored.value = stored !== null
      form.value = { ...fresh, ...stored } as T
    },
    close: () => void (form.value = null),
    discard() {
      sessionStorage.removeItem(key)
      restored.value = false
      const fresh = start()
      untouched = JSON.stringify(fresh)
      form.value = fresh
    },
    sent() {
      form.value = null
      sessionStorage.removeItem(key)
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
