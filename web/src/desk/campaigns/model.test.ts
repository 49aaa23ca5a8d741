import { expect, test } from 'vitest'
import { cleaned, questionText } from './model'

const t = (key: string, named?: Record<string, unknown>) => `${key.replace('campaigns.', '')}${named ? `(${Object.values(named).join(',')})` : ''}`

test('a question is said in sentences, ages as people say them', () => {
  const question = { who: 'households' as const, floor_from: 4, lift: false, with: [{ age_from: 80 }], without: [{ age_from: 18, age_to: 59 }] }
  expect(questionText(question, [], t)).toEqual(['said.floor(4)', 'said.noLift', 'said.with(age.from(80))', 'said.without(age.between(18,59))'])
  const young = { who: 'households' as const, with: [{ age_to: 2, register: 'hard' }], without: [] }
  expect(questionText(young, [{ key: 'hard', name: '困难家庭' }], t)).toEqual(['said.with(age.under(3)andonRegister(困难家庭))'])
  expect(questionText({ who: 'households', with: [], without: [] }, [], t)).toEqual(['said.everybody'])
})

test('what was left empty is left out, and nothing of homes is asked of places', () => {
  const question = { who: 'households' as const, of: '公共厕所', floor_from: undefined, size_to: 1, with: [{ age_to: 2, sex: undefined, register: '' }, { age_from: undefined }], without: [] }
  expect(cleaned(question)).toEqual({ who: 'households', size_to: 1, with: [{ age_to: 2 }], without: [] })
  expect(cleaned({ ...question, who: 'facilities' })).toEqual({ who: 'facilities', of: '公共厕所', with: [], without: [] })
})
