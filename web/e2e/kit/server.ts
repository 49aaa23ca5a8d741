// The server under test: `wangge demo` on an empty folder, a free port and a clock of our choice.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const READY_MS = 90_000
export const PASSWORD = 'wanghai-journeys-2026'

export interface Running {
  url: string
  /** Milliseconds the server's clock is ahead of this machine's. */
  aheadMs: number
  stop(): Promise<void>
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>
}

export function program(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, '../../../target')
  return process.env.WANGGE_BIN ?? join(target, 'debug/wangge')
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/** Starts the demo at a moment (RFC 3339), on a folder, an address and a pack when given (the folder is kept), and waits until it says that
 * it is ready. */
export async function startDemo(at: string, on: { data?: string; listen?: string; pack?: string; env?: Record<string, string> } = {}): Promise<Running> {
  const data = on.data ?? (await mkdtemp(join(tmpdir(), 'wangge-e2e-')))
  const listen = on.listen ?? `127.0.0.1:${await freePort()}`
  const begun = Date.now()
  const child = spawn(program(), ['demo', '--data', data, '--listen', listen, '--password', PASSWORD, '--at', at, '--cases', '0', ...(on.pack ? ['--pack', on.pack] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...on.env },
  })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the demo server ${why}:\n${said}`))
    const timer = setTimeout(() => fail('was not ready in time'), READY_MS)
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      if (!said.includes(`ready: http://${listen}/`)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => fail(`did not start (${error.message})`))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
    if (!on.data) await rm(data, { recursive: true, force: true })
  }
  return { url: `http://${listen}`, aheadMs: Date.parse(at) - begun, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}
