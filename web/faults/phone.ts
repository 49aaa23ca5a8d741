// A phone: the outbox that runs on the real one, on a disk that keeps what was written and forgets the rest when the battery falls out.
import type { SyncInput, SyncView } from '@/api/types'
import { Outbox, type Store, type Wire } from '@/field/sync/outbox'
import type { Chance } from './chance'
import type { Line } from './line'
import type { Bug } from './planted'

/** A phone that is off answers nothing. */
const never = <T>() => new Promise<T>(() => undefined)

export class Phone {
  readonly disk = new Map<string, string>()
  outbox!: Outbox
  /** Who is signed in. */
  login = ''
  restarts = 0
  private off = false
  private wentOff!: () => void
  private untilOff!: Promise<'off'>
  /** Writes until the battery falls out. */
  private left = Infinity

  constructor(
    readonly name: string,
    private readonly line: Line,
    private readonly chance: Chance,
    /** What this phone's clock says. */
    readonly clock: () => number,
    readonly accounts: ReadonlyMap<string, string>,
    private readonly bug?: Bug,
  ) {}

  /** Starts, or starts again with what the disk holds. */
  async start(quiet = false) {
    this.off = false
    this.restarts++
    this.untilOff = new Promise((resolve) => (this.wentOff = () => resolve('off')))
    this.left = quiet || !this.chance.in100(30) ? Infinity : 1 + this.chance.below(12)
    const store = this.bug?.store?.(this.store()) ?? this.store()
    const wire = this.bug?.wire?.(this.wire(), this) ?? this.wire()
    this.outbox = new Outbox({ store, wire, now: this.clock, newId: () => this.chance.id(), name: this.name, app: 'faults' })
    await this.alive(() => this.outbox.load())
  }

  get isOff() {
    return this.off
  }

  /** Does something; `off` when the battery falls out meanwhile. */
  async alive<T>(work: () => Promise<T>): Promise<T | 'off'> {
    if (this.off) return 'off'
    return Promise.race([work(), this.untilOff])
  }

  account(login = this.login): string {
    return this.accounts.get(login)!
  }

  private store(): Store {
    const disk = this.disk
    const mine = this.restarts
    const gone = () => this.off || this.restarts !== mine
    return {
      put: async (name, value) => {
        if (gone()) return never()
        this.left -= 1
        const last = this.left <= 0
        // The battery falls out before or after the write is on the disk.
        if (!last || this.chance.in100(50)) disk.set(name, JSON.stringify(value))
        if (!last) return
        this.off = true
        this.wentOff()
        return never()
      },
      get: async (name) => (gone() ? never() : JSON.parse(disk.get(name) ?? 'null')),
      remove: async (name) => (gone() ? never() : void disk.delete(name)),
      names: async (prefix) => [...disk.keys()].filter((name) => name.startsWith(prefix)),
    }
  }

  private wire(): Wire {
    const mine = this.restarts
    const after = async <T>(answer: Promise<T>): Promise<T> => {
      const [said] = await Promise.allSettled([answer])
      if (this.off || this.restarts !== mine) return never()
      if (said.status === 'rejected') throw said.reason
      return said.value
    }
    return {
      sync: (batch: SyncInput) => after(this.line.post<SyncView>(this.login, '/sync', batch)),
      upload: never,
      forget: () => undefined,
      drop: async () => undefined,
    }
  }

  /** Sends what waits of whoever is signed in. */
  async send() {
    if (this.bug?.silent?.(this)) return
    await this.alive(() => this.outbox.send(this.account()).catch(() => undefined))
    await this.bug?.after?.(this)
  }
}
