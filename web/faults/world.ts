// The real server of a made-up place, and those who look at it as people would.
import type { CaseDetail, KeptOperation, Me, Page } from '@/api/types'
import { PASSWORD, type Running } from '../e2e/kit/server'

/** Those whose phones are used, and who looks at what came of it. */
export const WORKER = 'grid'
export const OTHER = 'dispatcher'
const LOOKS_ON = 'supervisor'

export interface Session {
  me: Me
  cookie: string
}

export class World {
  private constructor(
    public running: Running,
    readonly sessions: Map<string, Session>,
  ) {}

  static async open(running: Running): Promise<World> {
    const world = new World(running, new Map())
    await world.signIn()
    return world
  }

  /** Everybody signs in: sessions do not outlive a server that was set back. */
  async signIn() {
    for (const login of [WORKER, OTHER, LOOKS_ON]) {
      const answer = await fetch(`${this.running.url}/api/v1/session`, { method: 'POST', headers: headers(''), body: JSON.stringify({ login, password: PASSWORD }) })
      const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0]!
      this.sessions.set(login, { me: (await answer.json()) as Me, cookie })
    }
  }

  /** The server was ended; another one serves the same people. */
  async moveTo(running: Running) {
    this.running = running
    await this.signIn()
  }

  session(login: string): Session {
    return this.sessions.get(login)!
  }

  /** The server's clock. */
  now(): number {
    return Date.now() + this.running.aheadMs
  }

  get grid(): string {
    return this.session(WORKER).me.grants[0]!.area!.id
  }

  async get<T>(path: string, login = LOOKS_ON): Promise<T | null> {
    const answer = await fetch(`${this.running.url}/api/v1${path}`, { headers: headers(this.session(login).cookie) })
    return answer.ok ? ((await answer.json()) as T) : null
  }

  async post(path: string, body: unknown, login = WORKER): Promise<Response> {
    return fetch(`${this.running.url}/api/v1${path}`, { method: 'POST', headers: headers(this.session(login).cookie), body: JSON.stringify(body) })
  }

  /** A case everybody of the campaign may write on. */
  async makeCase(id: string, words: string) {
    const answer = await this.post('/cases', { id, channel: 'patrol', body: words, area_id: this.grid })
    if (!answer.ok) throw new Error(`no case: ${await answer.text()}`)
  }

  page(id: string): Promise<CaseDetail | null> {
    return this.get<CaseDetail>(`/cases/${id}?purpose=supervise`)
  }

  /** All that the server keeps for a supervisor to settle. */
  async kept(): Promise<KeptOperation[]> {
    const area = (await this.get<Page<{ id: string }>>('/areas?parent=root&limit=1'))!.items[0]!.id
    const all: KeptOperation[] = []
    for (let after = ''; ; ) {
      const page = (await this.get<Page<KeptOperation>>(`/sync/kept?area=${area}&limit=200${after && `&after=${after}`}`))!
      all.push(...page.items)
      if (!page.next) return all
      after = page.next
    }
  }
}

export const headers = (cookie: string) => ({ 'content-type': 'application/json', 'x-wangge-client': 'field', cookie })
