import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { useDialogDraft, useDraft } from './draft'

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

describe('a dialog that keeps what was typed', () => {
  beforeEach(() => sessionStorage.clear())
  const dialog = () => {
    const draft = effectScope().run(() => useDialogDraft<{ name: string; phone?: string }>('d'))
    if (!draft) throw new Error('no scope')
    return draft
  }
  const type = (draft: ReturnType<typeof dialog>, name: string) => {
    if (draft.form.value) draft.form.value.name = name
  }
  it('keeps it for what was edited, over a close and a reload, until it is sent', () => {
    const first = dialog()
    first.open('a', () => ({ name: '一中队' }))
    expect(sessionStorage).toHaveLength(0)
    type(first, '二中队')
    first.close()
    const again = dialog()
    again.open('b', () => ({ name: '三中队' }))
    expect([again.form.value?.name, again.restored.value]).toEqual(['三中队', false])
    again.open('a', () => ({ name: '一中队', phone: '110' }))
    expect([again.form.value, again.restored.value]).toEqual([{ name: '二中队', phone: '110' }, true])
    again.sent()
    again.open('a', () => ({ name: '二中队' }))
    expect(again.restored.value).toBe(false)
  })
  it('is put back, and keeps nothing that says the same', () => {
    const draft = dialog()
    draft.open('a', () => ({ name: '一中队' }))
    type(draft, '二中队')
    draft.discard()
    expect([draft.form.value?.name, sessionStorage.length]).toEqual(['一中队', 0])
    type(draft, '二中队')
    type(draft, '一中队')
    expect(sessionStorage).toHaveLength(0)
  })
})
