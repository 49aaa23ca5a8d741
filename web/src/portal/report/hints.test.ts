import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref, type Ref } from 'vue'
import { HINT_WAIT_MS, useHints, type Hints } from './hints'

let answers: ((value: Response) => void)[] = []
beforeEach(() => {
  vi.useFakeTimers()
  answers = []
  vi.stubGlobal('fetch', vi.fn(() => new Promise<Response>((resolve) => answers.push(resolve))))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function start(body: Ref<string>): { hints: Ref<Hints | null>; stop(): void } {
  const scope = effectScope()
  const hints = scope.run(() => useHints(() => ({ body: body.value, where: {} })))
  if (!hints) throw new Error('no scope')
  return { hints, stop: () => scope.stop() }
}
const reply = (text: string) => new Response(JSON.stringify({ urgent_hint: { text } }))

test('asks once typing rests, and not for a word or two', async () => {
  const body = ref('路灯')
  const { stop } = start(body)
  await vi.advanceTimersByTimeAsync(HINT_WAIT_MS)
  expect(fetch).not.toHaveBeenCalled()
  for (const more of ['路灯不', '路灯不亮', '路灯不亮了']) {
    body.value = more
    await nextTick()
    await vi.advanceTimersByTimeAsync(HINT_WAIT_MS / 2)
  }
  await vi.advanceTimersByTimeAsync(HINT_WAIT_MS)
  expect(fetch).toHaveBeenCalledTimes(1)
  stop()
})

test('a late answer to older words is dropped', async () => {
  const body = ref('煤气泄漏了')
  const { hints, stop } = start(body)
  await vi.advanceTimersByTimeAsync(HINT_WAIT_MS)
  body.value = '煤气泄漏了，味道很大'
  await nextTick()
  await vi.advanceTimersByTimeAsync(HINT_WAIT_MS)
  answers[1](reply('新'))
  await vi.advanceTimersByTimeAsync(1)
  answers[0](reply('旧'))
  await vi.advanceTimersByTimeAsync(1)
  expect(hints.value?.urgent_hint?.text).toBe('新')
  stop()
})
