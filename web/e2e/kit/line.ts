// A line to the server that can be cut: unlike the browser's own "offline", nothing at all gets through, for the page and
// for its service worker alike.
import { connect, createServer, type Socket } from 'node:net'
import type { Site } from './setup'

export interface Line extends Site {
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** The same site behind a port of its own, whose line may be cut and mended. */
export function lineTo(site: Site): Promise<Line> {
  const far = Number(new URL(site.url).port)
  const open = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) return void near.destroy()
    const there = connect(far, '127.0.0.1')
    for (const [one, other] of [[near, there], [there, near]]) {
      open.add(one)
      one.pipe(other)
      one.once('error', () => other.destroy())
      one.once('close', () => (open.delete(one), other.destroy()))
    }
  })
  const drop = () => open.forEach((socket) => socket.destroy())
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = address && typeof address === 'object' ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}`,
        aheadMs: site.aheadMs,
        cut: () => ((whole = false), drop()),
        mend: () => void (whole = true),
        close: () => new Promise((done) => (drop(), server.close(() => done()))),
      })
    })
  })
}
