import { expect, test } from 'vitest'
import type { Campaign, CampaignTask } from '@/api/types'
import { callsForMore, emptyTask, resultBody } from './model'

const campaign = { asks: [{ text: '食用过吗', choices: [{ text: '是', follow: true }, { text: '否', follow: false }] }] } as Campaign
const open = { state: 'open' } as CampaignTask

test('an answer can call for more by itself', () => {
  const form = emptyTask(campaign)
  expect(callsForMore(campaign, form)).toBe(false)
  expect(callsForMore(campaign, { ...form, answers: [0] })).toBe(true)
  expect(callsForMore(campaign, { ...form, answers: [1] })).toBe(false)
})

test('nobody met, nothing is answered; who comes back answers only what is asked again', () => {
  const form = { ...emptyTask(campaign), answers: [1], note: ' 已就诊 ' }
  expect(resultBody('v', campaign, open, form, false)).toEqual({ visit_id: 'v' })
  expect(resultBody('v', campaign, open, form, true)).toEqual({ visit_id: 'v', answers: [1], follow: false, note: '已就诊' })
  expect(resultBody('v', campaign, open, emptyTask(campaign), true)).toMatchObject({ answers: [null] })
  expect(resultBody('v', campaign, { ...open, state: 'follow' }, emptyTask(campaign), true)).toMatchObject({ answers: [] })
})
