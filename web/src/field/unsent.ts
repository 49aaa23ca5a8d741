// What could not be sent because there was no network: kept on this phone, sent in order when it is back, never twice
// (each carries its own id). Entry points: `sendOrKeep`, `sendAll`, `unsent`. A refusal by the server stays in the list
// with its sentence until the worker decides.
import { ref } from 'vue'
import { api, ApiError } from '@/api/client'
import { me } from './session'

export interface Unsent {
  key: string
  account: string
  path: string
  body: Record<string, unknown>
  /** What it is, for the worker. */
  title: string
  at: string
  refusal: string
}

const KEY = 'wangge.field.unsent'

function load(): Unsent[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]') as Unsent[]
  } catch {
    return []
  }
}

export const unsent = ref<Unsent[]>(load())
let running = false

function put(items: Unsent[]) {
  unsent.value = items
  localStorage.setItem(KEY, JSON.stringify(items))
}

/** The answer, or 'kept' when there is no network. Refusals are thrown, to be shown at their fields. */
export async function sendOrKeep<T>(path: string, body: Record<string, unknown>, title: string): Promise<T | 'kept'> {
  try {
    return await api.post<T>(path, body)
  } catch (error) {
    if (!(error instanceof ApiError) || !error.offline) throw error
    const entry = { key: String(body.id ?? `${path} ${Date.now()}`), account: me.value?.id ?? '', path, body, title, at: new Date().toISOString(), refusal: '' }
    put([...unsent.value.filter((u) => u.key !== entry.key), entry])
    return 'kept'
  }
}

/** Sends what waits, the oldest first; stops where the network ends. Things of another account wait for that account. */
export async function sendAll() {
  if (running) return
  running = true
  try {
    for (const entry of unsent.value.filter((u) => u.account === me.value?.id)) {
      try {
        await api.post(entry.path, entry.body)
        drop(entry.key)
      } catch (error) {
        if (!(error instanceof ApiError) || error.offline || error.status === 401) return
        put(unsent.value.map((u) => (u.key === entry.key ? { ...u, refusal: error.message } : u)))
      }
    }
  } finally {
    running = false
  }
}

export function drop(key: string) {
  put(unsent.value.filter((u) => u.key !== key))
}
