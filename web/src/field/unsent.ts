// What could not be sent because there was no signal: sealed on this phone, sent in order when it is back, never twice
// (each carries its own id). Entry points: `sendOrKeep`, `sendAll`, `unsent`. A refusal by the server stays in the list
// with its sentence until the worker decides.
import { computed, ref } from 'vue'
import { api, ApiError } from '@/api/client'
import { dropPhoto, isLocal, uploaded } from './photos'
import { me } from './session'
import { get, names, put, remove } from './vault'

export interface Unsent {
  key: string
  account: string
  path: string
  body: Record<string, unknown>
  /** What it is, for the worker. */
  title: string
  at: string
  refusal: string
  /** Photos of this phone that belong to it. */
  photos: string[]
}

const NAME = 'unsent/'

export const unsent = ref<Unsent[]>([])
const mine = computed(() => unsent.value.filter((u) => u.account === me.value?.id))
/** Waiting for signal. */
export const waiting = computed(() => mine.value.filter((u) => !u.refusal))
/** Refused: the worker has to look. */
export const refused = computed(() => mine.value.filter((u) => u.refusal))
let running = Promise.resolve()

/** A moment after every one given before: what belongs to a visit is sent after it, however fast both were written. */
let last = 0
function inOrder(): string {
  last = Math.max(Date.now(), last + 1)
  return new Date(last).toISOString()
}

/** Reads what an earlier page left; call once before the first page is shown. */
export async function loadUnsent() {
  const kept = await Promise.all((await names(NAME)).map((name) => get<Unsent>(name)))
  unsent.value = kept.filter((u) => u !== null).sort((a, b) => a.at.localeCompare(b.at))
}

async function keep(entry: Unsent) {
  await put(NAME + entry.key, entry)
  unsent.value = [...unsent.value.filter((u) => u.key !== entry.key), entry].sort((a, b) => a.at.localeCompare(b.at))
  void navigator.storage?.persist?.().catch(() => undefined)
}

/** Every photo of this phone anywhere in a body. */
function photosIn(value: unknown): string[] {
  if (isLocal(value)) return [value]
  return value && typeof value === 'object' ? Object.values(value).flatMap(photosIn) : []
}

const replaced = <T>(value: T, ids: Map<string, string>): T =>
  (isLocal(value) ? (ids.get(value) ?? value) : Array.isArray(value) ? value.map((v) => replaced(v, ids)) : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, replaced(v, ids)])) : value) as T

/** Sends photos first, then the rest. The body that goes out is written back into the entry: sent again it is the same. */
async function deliver<T>(entry: Unsent): Promise<T> {
  const ids = new Map<string, string>()
  for (const photo of photosIn(entry.body)) ids.set(photo, await uploaded(photo))
  entry.body = replaced(entry.body, ids)
  return post<T>(entry)
}

async function post<T>(entry: Unsent): Promise<T> {
  try {
    return await api.post<T>(entry.path, entry.body)
  } catch (error) {
    // Done without signal, while others wrote on the case: whether it may be done, the server says again.
    const late = error instanceof ApiError && error.code === 'stale_case' && unsent.value.some((u) => u.key === entry.key)
    if (!late) throw error
    delete entry.body.row_version
    return api.post<T>(entry.path, entry.body)
  }
}

/** The answer, or 'kept' when there is no signal. Refusals are thrown, to be shown at their fields. `key`: under which it is kept, its own id mostly. */
export async function sendOrKeep<T>(path: string, body: Record<string, unknown>, title: string, key = String(body.id ?? body.action_id)): Promise<T | 'kept'> {
  const entry: Unsent = { key, account: me.value?.id ?? '', path, body, title, at: inOrder(), refusal: '', photos: photosIn(body) }
  try {
    const answer = await deliver<T>(entry)
    for (const photo of entry.photos) await dropPhoto(photo)
    return answer
  } catch (error) {
    if (!(error instanceof ApiError) || !error.offline) throw error
    // No room to keep it: the form stays as it is, with the sentence that nothing was sent.
    await keep(entry).catch(() => {
      throw error
    })
    return 'kept'
  }
}

/** Sends what waits, one pass after the other: whoever asks is answered when a pass begun after that is over. */
export function sendAll(): Promise<void> {
  running = running.then(pass)
  return running
}

/** The oldest first; stops where the signal ends. Things of another account wait for that account. */
async function pass() {
  for (const entry of [...mine.value]) {
    const sent = { ...entry }
    try {
      await deliver(sent)
      await drop(entry.key)
    } catch (error) {
      const ended = error instanceof ApiError && (error.offline || error.status === 401 || error.status >= 500)
      await keep({ ...sent, refusal: ended ? entry.refusal : (error as Error).message }).catch(() => undefined)
      if (ended) return
    }
  }
}

export async function drop(key: string) {
  const entry = unsent.value.find((u) => u.key === key)
  unsent.value = unsent.value.filter((u) => u.key !== key)
  for (const photo of entry?.photos ?? []) await dropPhoto(photo)
  await remove(NAME + key).catch(() => undefined)
}
