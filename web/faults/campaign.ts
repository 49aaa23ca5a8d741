// One seed: a few phones on a few matters, with everything going wrong, then the line heals; what must hold then.
import { chance as chanceOf, type Chance } from './chance'
import { Line, type Cut } from './line'
import { Phone } from './phone'
import type { Bug } from './planted'
import { OTHER, WORKER, type World } from './world'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const FAULTS_IN_100 = 45
const STEPS = 14
/** Passes after which all must have been sent once the line is whole. */
const PASSES = 8

type Kind = 'comment' | 'report' | 'visit' | 'poison' | 'stale' | 'unreadable'

/** Something done on a phone. */
interface Deed {
  key: string
  kind: Kind
  login: string
  words: string
  /** When it was done, by the server's clock. */
  at: number
  /** The phone said that it is saved; otherwise it may be there, once, or not. */
  saved: boolean
}

export interface Result {
  wrong: string[]
  saved: number
  acknowledged: number
  restarts: number
  cuts: Map<Cut, number>
}

export class Campaign {
  readonly deeds = new Map<Phone, Deed[]>()
  readonly phones: Phone[] = []
  readonly line: Line
  readonly chance: Chance
  readonly caseId: string

  constructor(
    readonly world: World,
    readonly seed: number,
    readonly bug?: Bug,
    faults = FAULTS_IN_100,
    /** The same choices with other ids. */
    private readonly again = false,
  ) {
    this.chance = chanceOf(seed)
    this.caseId = this.id()
    this.line = new Line(world, this.chance, faults)
  }

  private id(): string {
    const id = this.chance.id()
    return this.again ? `f${id.slice(1)}` : id
  }

  async open() {
    await this.world.makeCase(this.caseId, `第 ${this.seed} 号：路灯不亮`)
    const accounts = new Map([WORKER, OTHER].map((login) => [login, this.world.session(login).me.id]))
    for (let n = 0; n < 1 + this.chance.below(2); n++) {
      // One phone in three has a clock that is days off.
      const off = this.chance.in100(33) ? (this.chance.below(80) - 40) * DAY_MS : 0
      const phone = new Phone(`${this.seed}-${n}`, this.line, chanceOf(this.seed * 7 + n + 1), () => this.world.now() + off, accounts, this.bug)
      phone.login = WORKER
      await phone.start()
      this.phones.push(phone)
      this.deeds.set(phone, [])
    }
  }

  /** What people, batteries and lines do. */
  async act(steps = STEPS) {
    for (let step = 0; step < steps; step++) {
      const phone = this.chance.pick(this.phones)
      if (phone.isOff) await phone.start()
      const roll = this.chance.below(100)
      if (roll < 50) await this.does(phone)
      else if (roll < 80) await phone.send()
      else if (roll < 86) await phone.start()
      else if (roll < 92) phone.login = this.chance.pick([WORKER, WORKER, OTHER])
      else await this.line.deliverLate()
    }
  }

  private async does(phone: Phone) {
    const all = this.deeds.get(phone)!
    const key = this.id()
    const kind = phone.login === OTHER ? 'comment' : this.chance.pick<Kind>(['comment', 'comment', 'comment', 'comment', 'report', 'visit', 'poison', 'stale', 'unreadable'])
    const deed: Deed = { key, kind, login: phone.login, words: `${phone.name}-${String(all.length).padStart(4, '0')} 到了现场`, at: this.world.now(), saved: false }
    all.push(deed)
    const { path, body } = this.asked(deed, phone)
    const done = await phone.alive(() => phone.outbox.add(phone.account(), path, body, deed.words, this.bug?.key?.(key) ?? key))
    deed.saved = done !== 'off'
  }

  private asked(deed: Deed, phone: Phone): { path: string; body: Record<string, unknown> } {
    const action = { action_id: deed.key, body: deed.words }
    const path = `/cases/${this.caseId}/actions/comment`
    if (deed.kind === 'report') return { path: '/cases', body: { id: deed.key, channel: 'patrol', body: deed.words, area_id: this.world.grid } }
    if (deed.kind === 'visit') {
      const at = new Date(phone.clock() - MINUTE_MS).toISOString()
      return { path: '/visits', body: { id: deed.key, act: 'visit', subject_kind: 'grid', subject_id: this.world.grid, at, outcome: 'met' } }
    }
    if (deed.kind === 'poison') return { path, body: { ...action, body: '' } }
    // The server cannot even read the batch it is in.
    if (deed.kind === 'unreadable') return { path, body: { ...action, body: `${deed.words}\u0000` } }
    if (deed.kind === 'stale') return { path, body: { ...action, row_version: 999, seen_state: 'closed' } }
    return { path, body: action }
  }

  /** The line is whole again: nobody does anything more but wait. */
  async heal() {
    this.line.healed = true
    await this.line.deliverLate()
    for (const phone of this.phones) {
      await phone.start(true)
      for (const login of [WORKER, OTHER]) {
        phone.login = login
        for (let pass = 0; pass < PASSES && (pass === 0 || phone.outbox.waiting(phone.account()).length); pass++) await phone.send()
      }
    }
  }

  /** What must hold. */
  async judge(): Promise<Result> {
    const wrong: string[] = []
    const page = await this.world.page(this.caseId)
    if (!page) return { wrong: ['the case is not there'], ...this.figures() }
    const comments = page.events.filter((event) => event.kind === 'commented')
    const said = (event: (typeof comments)[number]) => String((event.body as { comment?: string } | null)?.comment ?? '')
    for (const phone of this.phones) {
      const deeds = this.deeds.get(phone)!
      for (const login of [WORKER, OTHER]) {
        const waiting = phone.outbox.waiting(phone.account(login))
        if (waiting.length) wrong.push(`${phone.name}: ${waiting.length} still wait`)
      }
      for (const deed of deeds) {
        const held = phone.outbox.entries.find((entry) => entry.body.action_id === deed.key && entry.state === 'held')
        const there = comments.filter((event) => said(event) === deed.words)
        const times = deed.kind === 'report' ? await this.report(deed) : deed.kind === 'visit' ? await this.visit(deed, wrong) : there.length
        const refused = ['poison', 'stale', 'unreadable'].includes(deed.kind)
        if (times > 1) wrong.push(`${deed.words} (${deed.kind}): ${times} times there`)
        if (refused && times) wrong.push(`${deed.words} (${deed.kind}): done although it is refused`)
        if (refused && deed.saved && !held) wrong.push(`${deed.words} (${deed.kind}): refused, and the worker does not know`)
        if (!refused && deed.saved && times !== 1) wrong.push(`${deed.words} (${deed.kind}): saved, and lost`)
        const author = this.world.session(deed.login).me.name
        if (there.some((event) => event.actor_name !== author)) wrong.push(`${deed.words}: in another's name`)
      }
      for (const login of [WORKER, OTHER]) {
        const mine = deeds.filter((deed) => deed.kind === 'comment' && deed.login === login).map((deed) => deed.words)
        const order = comments.map(said).filter((words) => mine.includes(words))
        if (order.some((words, at) => at > 0 && words < order[at - 1]!)) wrong.push(`${phone.name}: out of order: ${order.join(', ')}`)
      }
    }
    return { wrong, ...this.figures() }
  }

  private async report(deed: Deed): Promise<number> {
    return (await this.world.page(deed.key)) ? 1 : 0
  }

  private async visit(deed: Deed, wrong: string[]): Promise<number> {
    const found = await this.world.get<{ at: string }>(`/visits/${deed.key}?purpose=supervise`)
    if (found && Math.abs(Date.parse(found.at) - deed.at) > 10 * MINUTE_MS) wrong.push(`${deed.words}: told for ${found.at}`)
    return found ? 1 : 0
  }

  private figures(): Omit<Result, 'wrong'> {
    const deeds = [...this.deeds.values()].flat()
    return {
      saved: deeds.filter((deed) => deed.saved).length,
      acknowledged: this.phones.flatMap((phone) => phone.outbox.entries).filter((entry) => entry.state === 'sent').length,
      restarts: this.phones.reduce((sum, phone) => sum + phone.restarts - 2, 0),
      cuts: this.line.happened,
    }
  }
}

/** A seed from beginning to end. */
export async function run(world: World, seed: number, bug?: Bug, again = false): Promise<Result> {
  const campaign = new Campaign(world, seed, bug, FAULTS_IN_100, again)
  await campaign.open()
  await campaign.act()
  await campaign.heal()
  return campaign.judge()
}
