import { beforeEach, expect, test, vi } from 'vitest'
import { me } from './session'
import { loadUnsent, refused, sendAll, sendOrKeep, unsent, waiting } from './unsent'

// The sealed store of the browser; here a plain one behind the same names.
const kept = vi.hoisted(() => new Map<string, string>())
vi.mock('./vault', () => ({
  put: async (name: string, value: unknown) => void kept.set(name, JSON.stringify(value)),
  get: async (name: string) => JSON.parse(kept.get(name) ?? 'null'),
  remove: async (name: string) => void kept.delete(name),
  names: async (prefix: string) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
}))
const photos = vi.hoisted(() => ({ sent: [] as string[], dropped: [] as string[] }))
vi.mock('./photos', () => ({
  isLocal: (value: unknown) => typeof value === 'string' && value.startsWith('local:'),
  uploaded: async (id: string) => (photos.sent.push(id), `up-${id.slice(6)}`),
  dropPhoto: async (id: string) => void photos.dropped.push(id),
}))

const ok = () => Promise.resolve(new Response('{}'))
const answer = (status: number, code: string, message: string) => () => Promise.resolve(new Response(JSON.stringify({ code, message }), { status }))
const refusal = answer(422, 'x', '已经结案')
const offline = () => Promise.reject(new TypeError('network'))
const bodies = (fetch: ReturnType<typeof vi.fn>) => fetch.mock.calls.map((c) => JSON.parse((c as unknown as [string, { body: string }])[1].body))
const serve = (by: () => Promise<Response>) => {
  const fetch = vi.fn(by)
  vi.stubGlobal('fetch', fetch)
  return fetch
}

beforeEach(() => {
  kept.clear()
  photos.sent = []
  photos.dropped = []
  unsent.value = []
  me.value = { id: 'a' } as never
})

test('without signal it is kept on the phone, once per id, and sent later in order', async () => {
  serve(offline)
  expect(await sendOrKeep('/cases', { id: '1' }, '一')).toBe('kept')
  await sendOrKeep('/cases', { id: '1' }, '一')
  await sendOrKeep('/cases', { id: '2' }, '二')
  expect(waiting.value).toHaveLength(2)
  // The page was closed and opened again.
  unsent.value = []
  await loadUnsent()
  const fetch = serve(ok)
  await sendAll()
  expect(bodies(fetch).map((b) => b.id)).toEqual(['1', '2'])
  expect([unsent.value, kept.size]).toEqual([[], 0])
})

test('photos go first, and what is sent again is the same to the letter', async () => {
  const fetch = serve(offline)
  await sendOrKeep('/cases', { id: '1', attachments: ['local:p'], on_the_spot: { after_attachments: ['local:q'] } }, '一')
  const again = serve(ok)
  await sendAll()
  expect(bodies(again)).toEqual(bodies(fetch))
  expect(bodies(again)[0]).toEqual({ id: '1', attachments: ['up-p'], on_the_spot: { after_attachments: ['up-q'] } })
  expect([photos.sent, photos.dropped]).toEqual([['local:p', 'local:q'], ['local:p', 'local:q']])
})

test('a refusal is thrown at once, and keeps what waited with its sentence', async () => {
  serve(refusal)
  await expect(sendOrKeep('/cases', { id: '1' }, '一')).rejects.toThrow('已经结案')
  expect(unsent.value).toEqual([])
  serve(offline)
  await sendOrKeep('/cases', { id: '1' }, '一')
  serve(refusal)
  await sendAll()
  expect(refused.value[0].refusal).toBe('已经结案')
  expect(waiting.value).toEqual([])
})

test('a server in trouble is not a refusal', async () => {
  serve(offline)
  await sendOrKeep('/cases', { id: '1' }, '一')
  serve(answer(503, 'busy', '稍后再试'))
  await sendAll()
  expect(waiting.value).toHaveLength(1)
})

test('work done without signal is not refused because somebody else wrote on the case meanwhile', async () => {
  serve(offline)
  await sendOrKeep('/cases/c/actions/comment', { action_id: '1', row_version: 3, body: '到了' }, '备注')
  const answers = [answer(409, 'stale_case', '别人刚改过'), ok]
  const fetch = serve(() => (answers.shift() ?? ok)())
  await sendAll()
  expect(bodies(fetch).at(-1)).toEqual({ action_id: '1', body: '到了' })
  expect(unsent.value).toEqual([])
})

test('what another account left is not sent in my name', async () => {
  serve(offline)
  await sendOrKeep('/cases', { id: '1' }, '一')
  me.value = { id: 'b' } as never
  const fetch = serve(ok)
  await sendAll()
  expect(fetch).not.toHaveBeenCalled()
  expect(unsent.value).toHaveLength(1)
})
