// Single-key shortcuts: off while typing or while a dialog is open, and can be switched off altogether (WCAG 2.1.4).
import { onBeforeUnmount, onMounted, ref, watch } from 'vue'

const STORE = 'wangge.keys'

export const shortcutsOn = ref(read())
watch(shortcutsOn, (on) => {
  try {
    localStorage.setItem(STORE, on ? 'on' : 'off')
  } catch {
    // Kept for this page only.
  }
})

function read(): boolean {
  try {
    return localStorage.getItem(STORE) !== 'off'
  } catch {
    return true
  }
}

function busyElsewhere(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true
  const target = event.target as HTMLElement | null
  if (target?.closest('input, textarea, select, [contenteditable="true"], [role="combobox"], [role="listbox"], [role="menu"]')) return true
  return Array.from(document.querySelectorAll<HTMLElement>('.el-overlay')).some((o) => o.style.display !== 'none')
}

/** `handlers`: by key (`j`, `Enter`, `?`); return false to leave the key to the browser. */
export function useKeys(handlers: () => Record<string, (event: KeyboardEvent) => void | boolean>) {
  const onKey = (event: KeyboardEvent) => {
    if (!shortcutsOn.value || busyElsewhere(event)) return
    const handler = handlers()[event.key]
    if (!handler) return
    // Enter on a focused button or link belongs to it.
    if (event.key === 'Enter' && (event.target as HTMLElement).closest('a, button, summary')) return
    if (handler(event) !== false) event.preventDefault()
  }
  onMounted(() => addEventListener('keydown', onKey))
  onBeforeUnmount(() => removeEventListener('keydown', onKey))
}
