// The log of this phone: what was done here, numbered, kept until the server has it and a backup covers it. Knows neither browser nor Vue: where
// things are kept (`Store`) and how they are sent (`Wire`) is given to it, so that another shell, and the fault simulator, run the same code.
// Entry points: `add`, `send`, `outcome`. Guarantees: saved means kept durably; sent in the order of the numbers; nothing is forgotten because the
// server does not know it (any more).
import { ApiError } from '@/api/client'
import type { SyncInput, SyncReceipt, SyncView } from '@/api/types'

/** Where the log is kept. `put` returns once it would survive a crash. */
export interface Store {
  put(name: string, value: unknown): Promise<void>
  get<T>(name: string): Promise<T | null>
  remove(name: string): Promise<void>
  names(prefix: string): Promise<string[]>
}

/** How it is sent; failures are `ApiError`s, a broken line an offline one. */
export interface Wire {
  sync(batch: SyncInput): Promise<SyncView>
  /** Sends a photo of this phone; the server's id of it. */
  upload(photo: string): Promise<string>
  /** Sends a photo anew that was sent before. */
  forget(photo: string): void
  drop(photo: string): Promise<void>
}

export type State = 'waiting' | 'held' | 'sent'

/** One thing done here. */
export interface Entry {
  /** What it is to this phone: a form that is sent again has the same. */
  key: string
  /** What it is to the server. */
  id: string
  account: string
  number: number
  path: string
  body: Record<string, unknown>
  /** What it is, for the worker. */
  title: string
  at: string
  /** Photos of this phone that belong to it. */
  photos: string[]
  /** Their ids on the server, by local id. */
  uploads: Record<string, string>
  state: State
  /** Why the server did not do it: `refused`, `decide` (somebody changed the same thing), `clash`. */
  verdict: string
  refusal: string
  /** Under which it is kept there for somebody to settle. */
  keptAs: string | null
  receivedAt: string | null
  /** In which life of the server's database it was received. */
  epoch: number | null
}

/** What the server knows this phone by. */
interface Standing {
  device: string
  /** Highest number it has said it holds: numbers go on after it. */
  acked: number
}

/** What became of an entry somebody waits for. */
export type Outcome = { done: unknown } | { refused: ApiError } | 'kept'

const NAME = 'unsent/'
const standingOf = (account: string) => `device/${account}`
const MOST_AT_ONCE = 20
const MOST_BYTES = 512 * 1024
const DAY_MS = 86_400_000
/** What a backup covers is kept for so long all the same; what none covers is not kept for ever. */
const KEEP_DAYS = 7
const KEEP_AT_MOST_DAYS = 60
const LOCAL = 'local:'

export const isLocal = (value: unknown): value is string => typeof value === 'string' && value.startsWith(LOCAL)

/** Every photo of this phone anywhere in a body. */
export function photosIn(value: unknown): string[] {
  if (isLocal(value)) return [value]
  return value && typeof value === 'object' ? Object.values(value).flatMap(photosIn) : []
}

function replaced(value: unknown, ids: Record<string, string>): unknown {
  if (isLocal(value)) return ids[value] ?? value
  if (Array.isArray(value)) return value.map((one) => replaced(one, ids))
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one, ids)]))
  return value
}

export interface Setting {
  store: Store
  wire: Wire
  /** The phone's clock. */
  now: () => number
  newId: () => string
  /** What the phone and its app call themselves. */
  name: string
  app: string
}

export class Outbox {
  /** All entries of all accounts of this phone, by number. */
  entries: Entry[] = []
  /** The server gave this phone up for lost. */
  revoked = false
  private attended = new Map<string, Outcome>()
  private running: Promise<unknown> = Promise.resolve()
  /** What could not be kept: sent now or not at all. */
  private unkept = new Set<string>()

  constructor(
    private readonly by: Setting,
    private readonly changed: () => void = () => undefined,
  ) {}

  /** Reads what an earlier page left; call once, first. */
  async load() {
    const kept = await Promise.all((await this.by.store.names(NAME)).map((name) => this.by.store.get<Entry>(name)))
    this.entries = kept.filter((one) => one !== null).map(upToDate)
    this.sort()
  }

  private sort() {
    this.entries.sort((a, b) => a.number - b.number || a.at.localeCompare(b.at))
    this.changed()
  }

  private async standing(account: string): Promise<Standing> {
    return (await this.by.store.get<Standing>(standingOf(account))) ?? { device: this.by.newId(), acked: 0 }
  }

  /** Keeps something done here. It is saved once this returns; rejects when the phone has no room for it. */
  async add(account: string, path: string, body: Record<string, unknown>, title: string, key: string): Promise<Entry> {
    const before = this.entries.find((one) => one.key === key)
    const standing = await this.standing(account)
    const highest = Math.max(standing.acked, 0, ...this.entries.filter((one) => one.account === account).map((one) => one.number))
    const entry: Entry = {
      key,
      id: before?.id ?? key,
      account,
      number: before?.number ?? highest + 1,
      path,
      body,
      title,
      at: new Date(this.by.now()).toISOString(),
      photos: photosIn(body),
      uploads: before?.uploads ?? {},
      state: 'waiting',
      verdict: '',
      refusal: '',
      keptAs: null,
      receivedAt: null,
      epoch: null,
    }
    this.entries = [...this.entries.filter((one) => one.key !== key), entry]
    this.sort()
    await this.keep(entry).catch((error) => {
      this.unkept.add(key)
      throw error
    })
    return entry
  }

  private async keep(entry: Entry) {
    if (this.unkept.has(entry.key)) return
    await this.by.store.put(NAME + entry.key, entry)
  }

  /** Sends what waits of an account, one pass after the other; resolves when a pass begun after the call is over. */
  send(account: string, attended = ''): Promise<void> {
    const pass = this.running.then(() => this.pass(account, attended))
    this.running = pass.catch(() => undefined)
    return pass
  }

  /** What became of an entry in the last pass it was attended in. */
  outcome(key: string): Outcome {
    const found = this.attended.get(key) ?? 'kept'
    this.attended.delete(key)
    return found
  }

  /** Waits of an account. */
  waiting(account: string): Entry[] {
    return this.entries.filter((one) => one.account === account && one.state === 'waiting')
  }

  private async pass(account: string, attended: string) {
    const passed = new Set<string>()
    let anew = false
    for (let first = true; ; first = false) {
      const batch = await this.prepare(account, passed, attended)
      if (!batch.length && !first) return
      const came = await this.deliver(account, batch, attended)
      // The server lacks what was sent before: that goes first, once.
      if (came === 'behind' && !anew) {
        anew = true
        passed.clear()
      } else if (came !== 'taken') return
    }
  }

  /** The next entries whose photos are there, in the order of the numbers. */
  private async prepare(account: string, passed: Set<string>, attended: string): Promise<Entry[]> {
    const batch: Entry[] = []
    let bytes = 0
    for (const entry of this.waiting(account)) {
      if (passed.has(entry.key)) continue
      const size = JSON.stringify(entry.body).length
      if (batch.length === MOST_AT_ONCE || (batch.length && bytes + size > MOST_BYTES)) break
      const photos = await this.photos(entry, attended)
      if (photos === 'offline') break
      passed.add(entry.key)
      if (photos === 'refused') continue
      batch.push(entry)
      bytes += size
    }
    return batch
  }

  /** Photos go first. One the server will not have holds its entry up, and nothing else. */
  private async photos(entry: Entry, attended: string): Promise<'sent' | 'refused' | 'offline'> {
    try {
      for (const photo of entry.photos) {
        if (entry.uploads[photo]) continue
        entry.uploads[photo] = await this.by.wire.upload(photo)
        await this.keep(entry)
      }
      return 'sent'
    } catch (error) {
      if (unsettled(error)) return 'offline'
      await this.refuse(entry, { verdict: 'refused', refusal: (error as Error).message, keptAs: null }, attended, error)
      return 'refused'
    }
  }

  /** Sends a batch and does what the answer says: all of it was taken, or the rest has to wait, or the server lacks what it had received. */
  private async deliver(account: string, batch: Entry[], attended: string): Promise<'taken' | 'waits' | 'behind'> {
    const before = await this.standing(account)
    // Its id is on the disk before the server hears it.
    if (!before.acked) await this.by.store.put(standingOf(account), before).catch(() => undefined)
    const received = this.entries.filter((one) => one.account === account && one.epoch !== null)
    let said: SyncView
    try {
      said = await this.by.wire.sync({
        device: before.device,
        epoch: received[0]?.epoch ?? undefined,
        received: Math.max(0, ...received.map((one) => one.number)),
        name: this.by.name,
        app: this.by.app,
        sent_at: new Date(this.by.now()).toISOString(),
        operations: batch.map((one) => ({
          id: one.id,
          number: one.number,
          path: one.path,
          body: replaced(one.body, one.uploads) as Record<string, never>,
          title: one.title,
          at: one.at,
          attended: one.key === attended,
        })),
      })
    } catch (error) {
      return this.turnedDown(account, batch, attended, error)
    }
    for (const receipt of said.receipts) {
      const entry = batch.find((one) => one.id === receipt.id)
      if (entry) await this.settle(entry, receipt, said.epoch, attended)
    }
    await this.meet(account, before, said)
    if (said.behind) return 'behind'
    const waits = said.receipts.length < batch.length || said.receipts.some((one) => one.verdict === 'later')
    return waits ? 'waits' : 'taken'
  }

  /** No answer, or a refusal of the batch as a whole: one by one, what cannot even be read holds nothing else up. */
  private async turnedDown(account: string, batch: Entry[], attended: string, error: unknown): Promise<'taken' | 'waits' | 'behind'> {
    if (unsettled(error)) return 'waits'
    // A copy of another phone's storage: this one is another phone.
    if ((error as ApiError).code === 'device_of_another') {
      await this.by.store.remove(standingOf(account))
      return 'waits'
    }
    const [entry, ...more] = batch
    if (entry && !more.length) await this.refuse(entry, { verdict: 'refused', refusal: (error as Error).message, keptAs: null }, attended, error)
    for (const one of more.length ? batch : []) {
      const came = await this.deliver(account, [one], attended)
      if (came !== 'taken') return came
    }
    return 'taken'
  }

  private async settle(entry: Entry, receipt: SyncReceipt, epoch: number, attended: string) {
    if (receipt.verdict === 'later') return
    entry.epoch = epoch
    if (receipt.verdict === 'done' || receipt.verdict === 'already') {
      if (entry.key === attended) this.attended.set(entry.key, { done: receipt.answer ?? null })
      Object.assign(entry, { state: 'sent', verdict: '', refusal: '', keptAs: null, receivedAt: receipt.received_at ?? null })
      return this.save(entry)
    }
    // Its photos are no longer there: they go once more.
    if (receipt.fault?.code === 'upload_gone' && Object.keys(entry.uploads).length) {
      for (const photo of entry.photos) this.by.wire.forget(photo)
      entry.uploads = {}
      return this.save(entry)
    }
    const why = { verdict: receipt.verdict, refusal: receipt.fault?.message ?? receipt.verdict, keptAs: receipt.kept_as ?? null }
    const fault = receipt.fault
    await this.refuse(entry, why, attended, fault ? new ApiError(422, fault.code, fault.message, fault.field ?? null, fault.details) : new Error(why.refusal))
  }

  /** Somebody waits before the form: it is theirs again. Else it is held until they look. */
  private async refuse(entry: Entry, why: Pick<Entry, 'verdict' | 'refusal' | 'keptAs'>, attended: string, error: unknown) {
    if (entry.key === attended) {
      this.attended.set(entry.key, { refused: error as ApiError })
      this.entries = this.entries.filter((one) => one !== entry)
      this.unkept.delete(entry.key)
      await this.by.store.remove(NAME + entry.key).catch(() => undefined)
      return this.changed()
    }
    Object.assign(entry, { state: 'held', ...why })
    await this.save(entry)
  }

  private async save(entry: Entry) {
    await this.keep(entry).catch(() => undefined)
    this.changed()
  }

  /** What the server says of itself: what it received in another life, or does not hold, is offered again; what a backup covers may go. */
  private async meet(account: string, before: Standing, said: SyncView) {
    const mine = this.entries.filter((one) => one.account === account)
    const lost = (one: Entry) => one.state !== 'waiting' && one.epoch !== null && (one.epoch !== said.epoch || one.number > said.seen)
    for (const entry of mine.filter(lost)) {
      Object.assign(entry, { state: 'waiting', verdict: '', refusal: '', keptAs: null, receivedAt: null, epoch: null })
      await this.save(entry)
    }
    const acked = Math.max(said.seen, before.acked)
    if (acked !== before.acked) await this.by.store.put(standingOf(account), { ...before, acked }).catch(() => undefined)
    const now = Date.parse(said.now)
    for (const entry of mine.filter((one) => one.state === 'sent')) if (mayGo(entry, said, now)) await this.remove(entry.key)
    this.revoked ||= said.revoked
    this.changed()
  }

  /** What waits, held or not, goes from the phone, with its photos. */
  async remove(key: string) {
    const entry = this.entries.find((one) => one.key === key)
    this.entries = this.entries.filter((one) => one.key !== key)
    this.unkept.delete(key)
    this.changed()
    for (const photo of entry?.photos ?? []) await this.by.wire.drop(photo)
    await this.by.store.remove(NAME + key).catch(() => undefined)
  }

  /** Tries one that was held once more, as another operation: with what the worker saw left out where they decided to do it all the same. */
  async again(key: string) {
    const entry = this.entries.find((one) => one.key === key)
    if (!entry) return
    const { row_version: _version, seen_state: _state, ...body } = entry.body
    const highest = Math.max(...this.entries.filter((one) => one.account === entry.account).map((one) => one.number))
    Object.assign(entry, { id: this.by.newId(), number: highest + 1, body, state: 'waiting', verdict: '', refusal: '', keptAs: null, epoch: null })
    await this.keep(entry)
    this.sort()
  }
}

/** Nothing is known of what became of it: it is sent again. */
const unsettled = (error: unknown) => error instanceof ApiError && (error.offline || error.status >= 500 || [401, 403, 408, 429].includes(error.status))

function mayGo(entry: Entry, said: SyncView, now: number): boolean {
  const received = Date.parse(entry.receivedAt ?? '')
  if (Number.isNaN(received)) return false
  const days = (now - received) / DAY_MS
  const covered = said.covered_until ? received < Date.parse(said.covered_until) : false
  return (covered && days >= KEEP_DAYS) || days >= KEEP_AT_MOST_DAYS
}

/** What an app of before the numbers kept: it waits, or was refused, under its own id. */
function upToDate(kept: Entry): Entry {
  if (kept.number !== undefined) return kept
  const refusal = kept.refusal ?? ''
  return { ...kept, id: kept.key, number: 0, uploads: {}, state: refusal ? 'held' : 'waiting', verdict: refusal ? 'refused' : '', refusal, keptAs: null, receivedAt: null, epoch: null }
}
