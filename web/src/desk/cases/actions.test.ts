import { describe, expect, it } from 'vitest'
import en from '@/i18n/en/desk'
import zh from '@/i18n/zh-CN/desk'
import { ACTIONS, bodyOf, emptyForm, missing } from './actions'

describe('forms of actions', () => {
  it('leave out what was not filled in, and route by rule when no unit is chosen', () => {
    expect(bodyOf('route', { ...emptyForm('route'), reason: ' ' })).toEqual({ auto: true })
    expect(bodyOf('handle', { result: ' 已修复 ', before: [], after: ['u1'] })).toEqual({ result: '已修复', after: ['u1'] })
  })
  it('name what is still missing', () => {
    expect(missing('return', emptyForm('return'))).toEqual(['reason_code', 'reason'])
    expect(missing('verify', { pass: false })).toEqual([])
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
