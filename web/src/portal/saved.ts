// What this phone keeps for a resident: the last report of this tab, and, only when the resident asks, numbers and codes
// to find reports again. Entry points: `lastResult`, `remembered`, `follower`. Only the follower's name is ever sent.
import { ref } from 'vue'
import { newId } from '@/api/ids'
import type { PortalReportResult } from '@/api/types'

export interface Remembered {
  number: string
  code: string
  title: string
  at: string
}

const REMEMBERED = 'wangge.portal.remembered'
const LAST = 'wangge.portal.last'
const FOLLOWER = 'wangge.portal.follower'
/** More than this are not kept; the oldest goes. */
const REMEMBERED_MAX = 30

function read<T>(storage: () => Storage, key: string, otherwise: T): T {
  try {
    return (JSON.parse(storage().getItem(key) ?? 'null') as T | null) ?? otherwise
  } catch {
    return otherwise
  }
}

function write(storage: () => Storage, key: string, value: unknown): boolean {
  try {
    storage().setItem(key, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}

const local = () => localStorage
const tab = () => sessionStorage

export const remembered = ref<Remembered[]>(read<Remembered[]>(local, REMEMBERED, []))

/** Puts a report first in the list; false when the browser keeps nothing. */
export function remember(entry: Remembered): boolean {
  const next = [entry, ...remembered.value.filter((r) => r.number !== entry.number)].slice(0, REMEMBERED_MAX)
  if (!write(local, REMEMBERED, next)) return false
  remembered.value = next
  return true
}

export function forget(number: string) {
  remembered.value = remembered.value.filter((r) => r.number !== number)
  write(local, REMEMBERED, remembered.value)
}

export interface LastResult {
  result: PortalReportResult
  /** The words as they were sent: needed later to compare with the receipt. */
  body: string
  at: string
}

export const keepLast = (last: LastResult) => write(tab, LAST, last)
export const lastResult = (): LastResult | null => read<LastResult | null>(tab, LAST, null)

/** Whom this phone plays when a public account is tried in a demo: a name by chance that knows nothing of anybody. */
export const follower = ref(read<string>(local, FOLLOWER, ''))

/** Plays somebody new. */
export function anotherFollower() {
  follower.value = `demo-${newId()}`
  write(local, FOLLOWER, follower.value)
}
