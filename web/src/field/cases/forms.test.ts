import { expect, test } from 'vitest'
import { actionBody, missing, type ActionInput } from './forms'

const empty: ActionInput = {
  id: 'i', result: '', before: [], after: [], way: 'in_person', body: '', resident_said: '', rating: 0, reason: '', reason_code: '',
  kind: 'extension', days: '', until: '', outcome: '', agreement: '', mediator: '', held_on: '2026-02-14', follow_up_on: '', attachments: [],
}

test('an action sends its own fields only, without empty ones', () => {
  expect(actionBody('handle', { ...empty, result: ' 已修 ', after: ['u1'], reason: 'x' })).toEqual({ action_id: 'i', result: '已修', after: ['u1'] })
  expect(actionBody('answer', { ...empty, body: '好了' })).toEqual({ action_id: 'i', way: 'in_person', body: '好了' })
  expect(actionBody('take', { ...empty, body: '好了' })).toEqual({ action_id: 'i' })
})

test('asking for time: days for an extension, a day for a pause', () => {
  const asked = { ...empty, reason: '等配件', days: 3 as const, until: '2026-02-20' }
  expect(actionBody('ask', asked)).toEqual({ action_id: 'i', kind: 'extension', reason: '等配件', days: 3 })
  expect(actionBody('ask', { ...asked, kind: 'pause' })).toEqual({ action_id: 'i', kind: 'pause', reason: '等配件', until: '2026-02-20T23:59:59+08:00' })
})

test('what is missing is named', () => {
  expect(missing('return', { ...empty, reason: '不归我们管' })).toEqual(['reason_code'])
  expect(missing('arrive', empty)).toEqual([])
})

test('a mediation: its day, and for an agreement the day to look again', () => {
  const held = { ...empty, outcome: 'agreed' as const, agreement: '三天内清空', attachments: ['local/p1'] }
  expect(missing('mediate', empty)).toEqual(['outcome', 'agreement'])
  expect(missing('mediate', held)).toEqual(['follow_up_on'])
  const whole = { ...held, follow_up_on: '2026-02-21' }
  expect(actionBody('mediate', whole)).toEqual({ action_id: 'i', outcome: 'agreed', agreement: '三天内清空', held_on: '2026-02-14', attachments: ['local/p1'], follow_up_on: '2026-02-21' })
  expect(actionBody('mediate', { ...whole, outcome: 'failed' })).not.toHaveProperty('follow_up_on')
})
