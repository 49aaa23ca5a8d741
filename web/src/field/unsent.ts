// The log of this phone (`sync/outbox.ts`) as the pages see it: what waits, what needs the worker, sending by itself when the signal is back.
// Entry points: `sendOrKeep`, `sendAll`, `waiting`, `refused`.
import { computed, ref, shallowRef } from 'vue'
import { ApiError, api, offlineText } from '@/api/client'
import { newId } from '@/api/ids'
import type { SyncInput, SyncView } from '@/api/types'
import { dropPhoto, forgetUpload, uploaded } from './photos'
import { me } from './session'
import { deviceName } from './sync/device'
import { Outbox, type Entry } from './sync/outbox'
import { clearLost, inTouch } from './sync/lost'
import { get, names, put, remove } from './vault'

declare const __APP__: string

/** After a pass that could not be ended; then twice as long each time, up to the last. */
const FIRST_RETRY_MS = 4_000
const LAST_RETRY_MS = 50_000

async function sync(batch: SyncInput) {
  const said = await api.post<SyncView>('/sync', batch)
  void inTouch()
  return said
}

const entries = shallowRef<Entry[]>([])
const outbox = new Outbox(
  {
    store: { put, get, remove, names },
    wire: { sync, upload: uploaded, forget: forgetUpload, drop: dropPhoto },
    now: Date.now,
    newId,
    name: deviceName(navigator.userAgent),
    app: __APP__,
  },
  () => (entries.value = [...outbox.entries]),
)

const mine = computed(() => entries.value.filter((one) => one.account === me.value?.id))
/** Waiting for signal. */
export const waiting = computed(() => mine.value.filter((one) => one.state === 'waiting'))
/** Refused, or changed by somebody else meanwhile: the worker has to look. */
export const refused = computed(() => mine.value.filter((one) => one.state === 'held'))
/** The phone's storage may be cleared by the browser: it was asked to keep it, and did not agree. */
export const evictable = ref(false)

/** Reads what an earlier page left; call once before the first page is shown. */
export async function loadUnsent() {
  await outbox.load()
}

/** The answer, or 'kept' when there is no signal. Refusals are thrown, to be shown at their fields. `key`: under which it is kept, its own id mostly. */
export async function sendOrKeep<T>(path: string, body: Record<string, unknown>, title: string, key = String(body.id ?? body.action_id)): Promise<T | 'kept'> {
  const account = me.value?.id ?? ''
  const kept = await outbox.add(account, path, body, title, key).then(
    () => true,
    () => false,
  )
  void askToPersist()
  await pass(account, key)
  const outcome = outbox.outcome(key)
  if (outcome !== 'kept') {
    if ('refused' in outcome) throw outcome.refused
    return outcome.done as T
  }
  if (kept) return 'kept'
  // No room to keep it: the form stays as it is, with the sentence that nothing was sent.
  await outbox.remove(key)
  throw new ApiError(0, 'offline', offlineText())
}

/** Sends what waits; whoever asks is answered when a pass begun after that is over. */
export async function sendAll(): Promise<void> {
  if (me.value) await pass(me.value.id, '')
}

let timer: ReturnType<typeof setTimeout> | undefined
let wait = FIRST_RETRY_MS

/** A pass, and, where something still waits after it, another one by itself. */
async function pass(account: string, attended: string) {
  await outbox.send(account, attended).catch(() => undefined)
  if (outbox.revoked) await clearLost(account)
  clearTimeout(timer)
  if (!outbox.waiting(account).length) {
    wait = FIRST_RETRY_MS
    return
  }
  timer = setTimeout(() => void sendAll(), wait * (0.75 + Math.random() / 2))
  wait = Math.min(wait * 2, LAST_RETRY_MS)
}

async function askToPersist() {
  const agreed = await navigator.storage?.persist?.().catch(() => false)
  evictable.value = agreed === false
}

/** Given up by the worker: it goes from here, and from what waits for a supervisor. */
export async function drop(key: string) {
  const entry = outbox.entries.find((one) => one.key === key)
  await outbox.remove(key)
  if (entry?.keptAs) await giveUp(entry.id, entry.keptAs)
}

/** Done all the same, or tried once more after something was put right: what waits for a supervisor goes. */
export async function again(key: string) {
  const held = { ...outbox.entries.find((one) => one.key === key) }
  await outbox.again(key)
  if (held.id && held.keptAs) await giveUp(held.id, held.keptAs)
  await sendAll()
}

async function giveUp(id: string, fingerprint: string) {
  await api.post('/sync/kept/settle', { id, fingerprint, how: 'given_up' }).catch(() => undefined)
}
