import { beforeEach, expect, test, vi } from 'vitest'
import type { SyncInput, SyncReceipt } from '@/api/types'
import { me } from './session'
import { again, drop, loadUnsent, refused, sendAll, sendOrKeep, waiting } from './unsent'

// The sealed store of the browser; here a plain one behind the same names.
const kept = vi.hoisted(() => new Map<string, string>())
vi.mock('./vault', () => ({
  put: async (name: string, value: unknown) => void kept.set(name, JSON.stringify(value)),
  get: async (name: string) => JSON.parse(kept.get(name) ?? 'null'),
  remove: async (name: string) => void kept.delete(name),
  names: async (prefix: string) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
  forgetSeen: async () => undefined,
}))
const photos = vi.hoisted(() => ({ sent: [] as string[], dropped: [] as string[] }))
vi.mock('./photos', () => ({
  uploaded: async (id: string) => (photos.sent.push(id), `up-${id.slice(6)}`),
  forgetUpload: () => undefined,
  dropPhoto: async (id: string) => void photos.dropped.push(id),
}))

const NOW = '2026-02-14T10:00:00+08:00'
const offline = () => Promise.reject(new TypeError('network'))
type Verdict = Partial<SyncReceipt> & { verdict: string }
const said: { epoch: number; seen: number; covered_until: string | null; revoked: boolean } = { epoch: 1, seen: 0, covered_until: null, revoked: false }
/** What the phone says it has been told is here, is not. */
const behind = (input: SyncInput) => (input.epoch !== undefined && input.epoch !== said.epoch) || input.received > said.seen
/** A server that answers each operation as told, `done` when nothing is said. */
function server(...verdicts: Verdict[]) {
  const batches: SyncInput[] = []
  const fetch = vi.fn(async (_url: string, init: { body: string }) => {
    const input = JSON.parse(init.body) as SyncInput
    if (!input.operations) return new Response('', { status: 204 })
    if (behind(input)) return new Response(JSON.stringify({ now: NOW, ...said, behind: true, receipts: [] }))
    batches.push(input)
    const receipts = input.operations.map((one) => {
      const verdict = verdicts.shift() ?? { verdict: 'done', answer: {} }
      if (verdict.verdict === 'done' || (verdict.kept_as && !one.attended)) said.seen = Math.max(said.seen, one.number)
      return { id: one.id, number: one.number, received_at: NOW, ...verdict }
    })
    return new Response(JSON.stringify({ now: NOW, ...said, receipts }))
  })
  vi.stubGlobal('fetch', fetch)
  return { batches, operations: () => batches.flatMap((batch) => batch.operations) }
}
const refusal: Verdict = { verdict: 'refused', kept_as: 'f', fault: { code: 'x', message: '已经结案', details: [] } }
const cut = () => vi.stubGlobal('fetch', vi.fn(offline))

beforeEach(async () => {
  kept.clear()
  Object.assign(said, { epoch: 1, seen: 0, covered_until: null, revoked: false })
  photos.sent = []
  photos.dropped = []
  await loadUnsent()
  me.value = { id: 'a' } as never
})

test('without signal it is kept on the phone, once per id, and sent later in order', async () => {
  cut()
  expect(await sendOrKeep('/cases', { id: '1' }, '一')).toBe('kept')
  await sendOrKeep('/cases', { id: '1' }, '一')
  await sendOrKeep('/cases', { id: '2' }, '二')
  expect(waiting.value).toHaveLength(2)
  // The page was closed and opened again.
  await loadUnsent()
  const { operations } = server()
  await sendAll()
  expect(operations().map((one) => [one.id, one.number])).toEqual([['1', 1], ['2', 2]])
  expect([waiting.value, refused.value]).toEqual([[], []])
})

test('photos go first, and what is sent again is the same to the letter', async () => {
  const first = server({ verdict: 'later' })
  await sendOrKeep('/cases', { id: '1', attachments: ['local:p'], on_the_spot: { after_attachments: ['local:q'] } }, '一')
  const second = server()
  await sendAll()
  expect(second.operations()[0].body).toEqual(first.operations()[0].body)
  expect(second.operations()[0].body).toEqual({ id: '1', attachments: ['up-p'], on_the_spot: { after_attachments: ['up-q'] } })
  expect(photos.sent).toEqual(['local:p', 'local:q'])
})

test('a refusal while the worker waits is theirs to mend; later it is held with its sentence, and nothing else is', async () => {
  server(refusal)
  await expect(sendOrKeep('/cases', { id: '1' }, '一')).rejects.toThrow('已经结案')
  expect([waiting.value, refused.value]).toEqual([[], []])
  cut()
  await sendOrKeep('/cases', { id: '1' }, '一')
  await sendOrKeep('/cases', { id: '2' }, '二')
  server(refusal)
  await sendAll()
  expect([refused.value.map((one) => one.refusal), waiting.value]).toEqual([['已经结案'], []])
  // Nothing is asked again by itself.
  const { operations } = server()
  await sendAll()
  expect(operations()).toEqual([])
})

test('what was held is tried again as another operation, without what was seen then, or given up', async () => {
  cut()
  await sendOrKeep('/cases/c/actions/handle', { action_id: '1', row_version: 3, seen_state: 'routed', result: '好了' }, '办结')
  await sendOrKeep('/cases', { id: '2' }, '二')
  server({ ...refusal, verdict: 'decide' }, refusal)
  await sendAll()
  const { operations } = server()
  await again('1')
  expect(operations()[0]).toMatchObject({ number: 3, body: { action_id: '1', result: '好了' } })
  expect(operations()[0].id).not.toBe('1')
  expect(operations()[0].body).not.toHaveProperty('row_version')
  await drop('2')
  expect(refused.value).toEqual([])
})

test('one that the server cannot even read holds nothing else up', async () => {
  cut()
  for (const id of ['1', '2', '3']) await sendOrKeep('/cases', { id }, id)
  const { operations } = server()
  const answer = globalThis.fetch
  const unreadable = (init: { body: string }) => init.body.includes('"id":"2"')
  vi.stubGlobal('fetch', vi.fn(async (url: string, init: { body: string }) => (unreadable(init) ? new Response(JSON.stringify({ code: 'nul_in_text', message: '有无法保存的字符' }), { status: 422 }) : answer(url, init as RequestInit))))
  await sendAll()
  expect(operations().map((one) => one.id)).toEqual(['1', '3'])
  expect(refused.value.map((one) => [one.key, one.refusal])).toEqual([['2', '有无法保存的字符']])
})

test('a server in trouble is not a refusal', async () => {
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ code: 'busy', message: '稍后再试' }), { status: 503 })))
  expect(await sendOrKeep('/cases', { id: '1' }, '一')).toBe('kept')
  expect(waiting.value).toHaveLength(1)
})

test('a server set back to a backup is offered again what the phone still holds', async () => {
  server()
  for (const id of ['1', '2', '3']) await sendOrKeep('/cases', { id }, id)
  // It knows the first only.
  Object.assign(said, { epoch: 2, seen: 1 })
  const { operations } = server()
  // What is done now comes after what it lacks.
  await sendOrKeep('/cases', { id: '4' }, '4')
  expect(operations().map((one) => one.id)).toEqual(['1', '2', '3', '4'])
})

test('what a backup covers is forgotten, but not for a week', async () => {
  server()
  await sendOrKeep('/cases', { id: '1', attachments: ['local:p'] }, '一')
  said.covered_until = '2026-02-15T00:00:00+08:00'
  const held = () => [...kept.keys()].filter((name) => name.startsWith('unsent/'))
  await sendAll()
  expect([held(), photos.dropped]).toEqual([['unsent/1'], []])
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ ...said, now: '2026-02-22T10:00:00+08:00', receipts: [] }))))
  await sendAll()
  expect([held(), photos.dropped]).toEqual([[], ['local:p']])
})

test('what another account left is not sent in my name', async () => {
  cut()
  await sendOrKeep('/cases', { id: '1' }, '一')
  me.value = { id: 'b' } as never
  const { operations } = server()
  await sendAll()
  expect([operations(), waiting.value]).toEqual([[], []])
})

test('what an app of before kept is sent under its own id', async () => {
  kept.set('unsent/7', JSON.stringify({ key: '7', account: 'a', path: '/cases', body: { id: '7' }, title: '旧的', at: '2026-02-01T00:00:00Z', refusal: '', photos: [] }))
  await loadUnsent()
  const { operations } = server()
  await sendAll()
  expect(operations().map((one) => one.id)).toEqual(['7'])
})

test('only an answer of the server counts as a contact', async () => {
  cut()
  await sendAll()
  expect(kept.has('contact')).toBe(false)
  server()
  await sendAll()
  expect(kept.has('contact')).toBe(true)
})
