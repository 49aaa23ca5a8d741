import { describe, expect, it } from 'vitest'
import en from '@/i18n/en/desk'
import zh from '@/i18n/zh-CN/desk'
import type { CaseDetail } from '@/api/types'
import { ACTIONS, asked, bodyOf, emptyForm, missing } from './actions'

const item = { reports: [{ withdrawn: false }], co_handlers: [] } as unknown as CaseDetail

describe('forms of actions', () => {
  it('leave out what was not filled in, and route by rule when no unit is chosen', () => {
    expect(bodyOf('route', { ...emptyForm('route'), reason: ' ' }, item)).toEqual({ auto: true })
    expect(bodyOf('handle', { result: ' 已修复 ', before: [], after: ['u1'] }, item)).toEqual({ result: '已修复', after: ['u1'] })
  })
  it('name what is still missing', () => {
    expect(missing('return', emptyForm('return'), item)).toEqual(['reason_code', 'reason'])
    expect(missing('verify', { pass: true }, item)).toEqual([])
    expect(missing('verify', { pass: false }, item)).toEqual(['note'])
  })
  it('ask only what matters here, and send nothing else', () => {
    const keys = (form: Record<string, unknown>) => asked('ask', form, item).map((f) => f.key)
    expect(keys({ kind: 'extension' })).toEqual(['kind', 'reason', 'days'])
    expect(keys({ kind: 'park' })).toEqual(['kind', 'reason'])
    expect(bodyOf('ask', { kind: 'pause', reason: '等配件', days: 3, until: 'u' }, item)).toEqual({ kind: 'pause', reason: '等配件', until: 'u' })
    const joint = { ...item, co_handlers: [{ state: 'open' }] } as unknown as CaseDetail
    expect([item, joint].map((i) => asked('handle', {}, i).some((f) => f.key === 'override_reason'))).toEqual([false, true])
    const two = { ...item, reports: [{}, {}] } as unknown as CaseDetail
    expect(missing('withdraw', { reason: '已解决' }, item)).toEqual([])
    expect(missing('withdraw', { reason: '已解决' }, two)).toEqual(['report_id'])
  })
  it('have one key each, never the same twice', () => {
    const keys = Object.values(ACTIONS).flatMap((a) => a.shortcut ?? [])
    expect(new Set(keys).size).toBe(keys.length)
    for (const taken of ['j', 'k', 'n', '?', '/']) expect(keys).not.toContain(taken)
  })
  it('have words in both languages', () => {
    for (const words of [zh, en]) {
      const actions = words.action as Record<string, string>
      const fields = words.field as Record<string, string>
      for (const [key, form] of Object.entries(ACTIONS)) {
        expect(actions[key], key).toBeTruthy()
        for (const f of form.fields) expect(fields[f.key], `${key}.${f.key}`).toBeTruthy()
      }
    }
  })
})
