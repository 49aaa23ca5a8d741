// A line that breaks: before anything is sent, in the middle of a byte, after the server has answered; that delivers twice, or late.
import { connect } from 'node:net'
import { ApiError } from '@/api/client'
import type { Chance } from './chance'
import { headers, type World } from './world'

export const CUTS = ['whole', 'before', 'torn', 'after', 'twice', 'late', 'busy', 'signed_out'] as const
export type Cut = (typeof CUTS)[number]

const broken = () => new ApiError(0, 'offline', 'no line')

export class Line {
  /** What happened, for the figures. */
  readonly happened = new Map<Cut, number>()
  private later: (() => Promise<unknown>)[] = []
  healed = false

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
    /** Out of a hundred requests so many meet a fault. */
    private readonly share: number,
  ) {}

  async post<T>(login: string, path: string, body: unknown): Promise<T> {
    const cut = !this.healed && this.chance.in100(this.share) ? this.chance.pick(CUTS) : 'whole'
    this.happened.set(cut, (this.happened.get(cut) ?? 0) + 1)
    const send = () => this.world.post(path, body, login).catch(() => null)
    if (cut === 'before') throw broken()
    if (cut === 'busy') throw new ApiError(503, 'busy', 'busy')
    if (cut === 'signed_out') throw new ApiError(401, 'unauthenticated', 'signed out')
    if (cut === 'late') {
      this.later.push(send)
      throw broken()
    }
    if (cut === 'torn') {
      await this.tear(login, path, JSON.stringify(body))
      throw broken()
    }
    const sent = cut === 'twice' ? (await Promise.all([send(), send()]))[this.chance.below(2)]! : await send()
    if (!sent || cut === 'after') throw broken()
    const text = await sent.text().catch(() => null)
    if (text === null) throw broken()
    if (sent.ok) return JSON.parse(text) as T
    const fault = JSON.parse(text) as { code: string; message: string }
    throw new ApiError(sent.status, fault.code, fault.message)
  }

  /** What was held up arrives now. */
  async deliverLate() {
    const all = this.later
    this.later = []
    for (const send of all) await send()
  }

  /** The first bytes of a request, then nothing; all of them: the answer never comes. */
  private tear(login: string, path: string, body: string): Promise<void> {
    const { hostname, port } = new URL(this.world.running.url)
    const bytes = Buffer.from(body)
    const lines = Object.entries({ host: `${hostname}:${port}`, 'content-length': String(bytes.length), connection: 'close', ...headers(this.world.session(login).cookie) })
    const head = Buffer.from(`POST /api/v1${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    const whole = Buffer.concat([head, bytes])
    const many = this.chance.below(whole.length + 1)
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(whole.subarray(0, many), () => {
          if (many === whole.length) socket.once('data', () => socket.destroy())
          else socket.destroy()
        })
      })
      socket.once('error', () => resolve())
      socket.once('close', () => resolve())
    })
  }
}
