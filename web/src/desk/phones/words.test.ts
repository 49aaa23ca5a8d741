import { expect, test } from 'vitest'
import { wordsOf } from './words'

test('what somebody wrote is told, ids and times are not', () => {
  const body = { id: '01890000-0000-7000-8000-000000000001', at: '2026-02-14T10:00:00+08:00', outcome: 'met', talk: '老人身体还好', on_the_spot: { result: '换了灯泡 2 只', photos: ['a-1'] }, minutes: 5 }
  expect(wordsOf(body)).toEqual(['老人身体还好', '换了灯泡 2 只'])
  expect(wordsOf(null)).toEqual([])
})
