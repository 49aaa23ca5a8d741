import { beforeEach, expect, test, vi } from 'vitest'
import { me } from './session'
import { sendAll, sendOrKeep, unsent } from './unsent'

const ok = () => Promise.resolve(new Response('{}'))
const refused = () => Promise.resolve(new Response('{"code":"x","message":"已经结案"}', { status: 422 }))
const offline = () => Promise.reject(new TypeError('network'))

beforeEach(() => {
  localStorage.clear()
  unsent.value = []
  me.value = { id: 'a' } as never
})

test('without a network it is kept on the phone, once per id, and sent later in order', async () => {
  vi.stubGlobal('fetch', vi.fn(offline))
  expect(await sendOrKeep('/cases', { id: '1' }, '一')).toBe('kept')
  await sendOrKeep('/cases', { id: '1' }, '一')
  await sendOrKeep('/cases', { id: '2' }, '二')
  expect(JSON.parse(localStorage.getItem('wangge.field.unsent') ?? '')).toHaveLength(2)
  const fetch = vi.fn(ok)
  vi.stubGlobal('fetch', fetch)
  await sendAll()
  expect(fetch.mock.calls.map((c) => JSON.parse((c as unknown as [string, { body: string }])[1].body).id)).toEqual(['1', '2'])
  expect(unsent.value).toEqual([])
})

test('a refusal is thrown at once, and keeps what waited with its sentence', async () => {
  vi.stubGlobal('fetch', vi.fn(refused))
  await expect(sendOrKeep('/cases', { id: '1' }, '一')).rejects.toThrow('已经结案')
  expect(unsent.value).toEqual([])
  vi.stubGlobal('fetch', vi.fn(offline))
  await sendOrKeep('/cases', { id: '1' }, '一')
  vi.stubGlobal('fetch', vi.fn(refused))
  await sendAll()
  expect(unsent.value[0].refusal).toBe('已经结案')
})

test('what another account left is not sent in my name', async () => {
  vi.stubGlobal('fetch', vi.fn(offline))
  await sendOrKeep('/cases', { id: '1' }, '一')
  me.value = { id: 'b' } as never
  const fetch = vi.fn(ok)
  vi.stubGlobal('fetch', fetch)
  await sendAll()
  expect(fetch).not.toHaveBeenCalled()
  expect(unsent.value).toHaveLength(1)
})
