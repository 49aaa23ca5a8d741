import { beforeEach, expect, test } from 'vitest'
import { forget, remember, remembered } from './saved'

beforeEach(() => {
  localStorage.clear()
  remembered.value = []
})

const entry = (n: number) => ({ number: `N${n}`, code: 'ABC', title: '路灯', at: '2026-02-14T09:00:00+08:00' })

test('a remembered report is first, once, and can be forgotten', () => {
  remember(entry(1))
  remember(entry(2))
  remember(entry(1))
  expect(remembered.value.map((r) => r.number)).toEqual(['N1', 'N2'])
  forget('N1')
  expect(JSON.parse(localStorage.getItem('wangge.portal.remembered') ?? '')).toHaveLength(1)
})

test('the list is bounded, the oldest goes', () => {
  for (let n = 0; n < 40; n++) remember(entry(n))
  expect(remembered.value).toHaveLength(30)
  expect(remembered.value[0].number).toBe('N39')
  expect(remembered.value.at(-1)?.number).toBe('N10')
})
