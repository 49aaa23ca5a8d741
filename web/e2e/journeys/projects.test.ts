// A key task as a project: given to a leader at the desk, told of on the leader's phone, given more time, reported and accepted by somebody else.
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { choose, dialog, field } from '../kit/desk'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 150_000
const TITLE = '每个社区建成一处综合服务站'

async function day(page: Page, within: ReturnType<typeof dialog> | Page, label: string, value: string) {
  await field(within, label).fill(value)
  await page.keyboard.press('Enter')
}

test('a project is led on the phone, given more time by somebody else and accepted by somebody else', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const supervisor = await staff(running, 'supervisor')
  const worker = await staff(running, 'standin', { size: PHONE })
  const mine = (await (await worker.page.request.get('/api/v1/session')).json()) as { worker: { name: string } | null; name: string }
  const name = mine.worker?.name ?? mine.name

  // Given out: what, who, by when, with a step on the way.
  const desk = supervisor.page
  await desk.goto('/desk/projects')
  await desk.getByRole('link', { name: '下达督办项目' }).click()
  await field(desk, '项目名称').fill(TITLE)
  await field(desk, '目标和要求').fill('挂牌、有人值守、公布电话')
  await day(desk, desk, '完成时限', '2026-04-30')
  await choose(desk, field(desk, '牵头人'), name)
  await choose(desk, field(desk, '责任单位'), '海晏')
  await desk.getByRole('button', { name: '加一个节点' }).click()
  await desk.getByRole('region', { name: '节点' }).locator('input').first().fill('选址完成')
  await day(desk, desk, '节点日期', '2026-03-31')
  await accessible(desk, 'a project being given out')
  await shoot(desk, 'desk-project-new')
  await desk.getByRole('button', { name: '下达', exact: true }).click()
  await see(desk.getByText('还有 50 天'))

  // The leader's phone: the notice opens it; progress, the step, more time.
  const { page } = worker
  await page.goto('/field/notices')
  await page.getByRole('link', { name: new RegExp(TITLE) }).click()
  await see(page.getByRole('heading', { name: TITLE }))
  await accessible(page, 'a project on the phone')
  await shoot(page, 'phone-project')
  const say = async (act: string, words: string, more?: () => Promise<void>) => {
    await page.getByRole('button', { name: act, exact: true }).first().click()
    const form = dialog(page)
    await more?.()
    await form.locator('textarea').fill(words)
    await form.locator('footer .el-button').last().click()
  }
  await say('报进展', '选址两处，正在商量')
  await see(page.getByText('选址两处，正在商量'))
  await say('完成节点', '定在文化礼堂', () => choose(page, field(dialog(page), '节点'), '选址完成'))
  await see(page.getByText('定在文化礼堂'))
  await say('申请延期', '装修材料未到', () => day(page, dialog(page), '延期到', '2026-05-15'))
  await see(page.getByText(/等待审批/))

  // Somebody else decides.
  await desk.reload()
  await desk.getByRole('button', { name: '批准延期', exact: true }).click()
  await dialog(desk).locator('footer .el-button').last().click()
  await see(desk.getByText(/已延期 1 次/))
  await page.reload()
  await say('报结', '十二处都已挂牌')
  await see(page.getByText('待验收'))
  expect(await page.getByRole('button', { name: '验收', exact: true }).count()).toBe(0)
  await desk.reload()
  await accessible(desk, 'a project to be accepted')
  await shoot(desk, 'desk-project')
  await desk.getByRole('button', { name: '验收', exact: true }).click()
  await dialog(desk).locator('footer .el-button').last().click()
  await see(desk.locator('.page-head').getByText('已完成'))
  await desk.goto('/desk/projects')
  await see(desk.getByRole('region', { name: '按牵头人' }).getByRole('row', { name: new RegExp(name) }))
  await accessible(desk, 'the board of projects')
  await shoot(desk, 'desk-projects')
  await leave(supervisor, worker)
}, WHOLE_MS)
