import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { useDraft } from './draft'

const empty = () => ({ body: '', phone: '' })
const open = () => {
  const scope = effectScope()
  const draft = scope.run(() => useDraft('t', empty))
  if (!draft) throw new Error('no scope')
  return { draft, leave: () => scope.stop() }
}

describe('a form that keeps what was typed', () => {
  beforeEach(() => {
    sessionStorage.clear()
    vi.useFakeTimers()
  })
  it('comes back after leaving the page', async () => {
    const first = open()
    first.draft.form.body = '路灯不亮'
    await nextTick()
    first.leave()
    expect(open().draft.form.body).toBe('路灯不亮')
  })
  it('is forgotten once sent', async () => {
    const first = open()
    first.draft.form.body = '路灯不亮'
    await nextTick()
    vi.runAllTimers()
    first.draft.clear()
    await nextTick()
    vi.runAllTimers()
    first.leave()
    const again = open()
    expect(again.draft.form.body).toBe('')
    expect(again.draft.restored).toBe(false)
  })
  it('drops stored fields the form no longer has', () => {
    sessionStorage.setItem('wangge.draft.t', JSON.stringify({ body: 'a', gone: 1 }))
    expect(open().draft.form).toEqual({ body: 'a', phone: '' })
  })
})
