// A campaign from the question to the last door: the day on which every family with a small child must be reached.
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { choose, field } from '../kit/desk'
import { buildings, get, idNumber, register } from '../kit/homes'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { pointOf } from '../kit/portal'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 150_000
const GRIDS = ['海晏第一网格', '海晏第二网格']
/** Two families with a child of one year in the first grid, one in the second; and one whose child is four. */
async function families(page: Page, known: Map<string, string>) {
  const areas = (await get<{ items: { id: string; name: string }[] }>(page, '/areas?level=grid')).items
  const grid = (name: string) => areas.find((one) => one.name === name)!.id
  let order = 700
  for (const [area, room, child] of [[grid(GRIDS[0]), '101', '20250120'], [grid(GRIDS[0]), '102', '20240501'], [grid(GRIDS[0]), '103', '20211201'], [grid(GRIDS[1]), '201', '20250707']]) {
    const dwelling = known.get({ 101: 'D1', 102: 'D2' }[room] ?? '')
    const people = [['户主', '陈安', '19900101'], ['子', '陈小安', child]].map(([relation, name, born]) => ({ relation, name, id_number: idNumber(born, order++) }))
    await register(page, { area_id: area, dwelling_id: dwelling, room }, people)
  }
}

/**
 * Clause ZS-14
 *
 * Base data finds every family with a child under three at once, each falls to the worker of its grid in walking order, the supervisor sees the doors
 * reached as they are reached, and those who are unwell are followed up to the end.
 */
test('every family with a child under three is reached, and the sick are followed up', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const centre = await staff(running, 'dispatcher')
  const planner = await staff(running, 'planner')
  await families(centre.page, await buildings(planner.page, await pointOf(running, GRIDS[0])))

  // The question: how many there are is said before anybody is sent.
  const supervisor = await staff(running, 'supervisor')
  const desk = supervisor.page
  await desk.goto('/desk/campaigns')
  await desk.getByRole('link', { name: '新建专项行动' }).click()
  await choose(desk, field(desk, '从备好的开始'), '三岁以下婴幼儿家庭逐户走访')
  await see(desk.getByText('找到 3 户'))
  await accessible(desk, 'a campaign being prepared')
  await shoot(desk, 'desk-campaign-draft')
  await field(desk, '标题').fill('')
  await desk.getByRole('button', { name: '保存草案' }).click()
  await see(desk.getByText('请写标题，最多 60 字。'))
  await field(desk, '标题').fill('问题奶粉：三岁以下婴幼儿家庭走访')
  await desk.getByRole('button', { name: '保存草案' }).click()
  await see(desk.getByText('这是草案'))
  await see(desk.getByText(/家里有不满 3 周岁的人/))
  await desk.getByRole('button', { name: '启动' }).click()
  await see(desk.getByText('进行中'))
  const table = desk.getByRole('region', { name: '进度' })
  await see(table.getByRole('row', { name: /望海市.*0%.*3/ }))

  // The worker: two doors of the own grid; the first without a signal.
  const line = await lineTo(running)
  onTestFinished(line.close)
  const worker = await staff(line, 'grid', { size: PHONE, at: await pointOf(running, GRIDS[0]) })
  const { page, context } = worker
  await page.goto('/field/')
  const doors = page.getByRole('region', { name: '问题奶粉：三岁以下婴幼儿家庭走访' })
  await see(doors.getByRole('link', { name: /101室/ }))
  expect(await doors.getByRole('link').count()).toBe(2)
  await accessible(page, 'a campaign on the phone')
  await shoot(page, 'field-campaign')
  // In walking order: both doors, with times.
  await page.getByRole('link', { name: '按路线排' }).click()
  await page.getByRole('button', { name: '排路线' }).click()
  await see(page.getByRole('link', { name: /1\. \d\d:\d\d.*101室/ }))
  await see(page.getByRole('link', { name: /2\. \d\d:\d\d.*102室/ }))
  await accessible(page, 'a day in walking order')
  await shoot(page, 'field-route')
  await page.getByRole('link', { name: '今日', exact: true }).click()
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await doors.getByRole('link', { name: /101室/ }).click()
  await page.getByRole('link', { name: '今日', exact: true }).click()
  line.cut()
  await context.setOffline(true)
  await page.reload()
  await doors.getByRole('link', { name: /101室/ }).click()
  const asked = page.getByRole('region', { name: '问题奶粉：三岁以下婴幼儿家庭走访' })
  await asked.getByText('食用过', { exact: true }).click()
  await asked.getByText('有', { exact: true }).click()
  await see(asked.getByText('这样的回答要跟进，请写下还要办什么。'))
  await field(page, '还要办什么、约了什么时候').fill('孩子呕吐，明早陪同到定点医院')
  await accessible(page, 'what a campaign asks at the door')
  await shoot(page, 'field-campaign-door')
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  await page.getByRole('link', { name: '回今日' }).click()
  await expect.poll(() => doors.getByRole('link').count()).toBe(1)
  await see(table.getByRole('row', { name: /望海市.*0%.*3/ }))

  // Back: what waited arrives, the desk shows it by itself.
  line.mend()
  await context.setOffline(false)
  await page.goto('/field/me')
  const now = page.getByRole('button', { name: '现在发送' })
  await expect.poll(async () => {
    if (await now.isVisible()) await now.click().catch(() => undefined)
    return table.getByRole('row', { name: /望海市.*33%.*3/ }).isVisible()
  }, { timeout: 20_000 }).toBe(true)
  await page.goto('/field/')
  await doors.getByRole('link', { name: /102室/ }).click()
  await page.getByRole('region', { name: /问题奶粉/ }).getByText('没有', { exact: true }).first().click()
  await page.getByRole('region', { name: /问题奶粉/ }).getByText('没有', { exact: true }).nth(1).click()
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已记下' }))

  // The follow-up list, and the second call.
  await see(table.getByRole('row', { name: /望海市.*67%.*3/ }))
  await desk.getByRole('region', { name: '逐户逐处' }).getByText(/需跟进/).click()
  await see(desk.getByText('孩子呕吐，明早陪同到定点医院'))
  await accessible(desk, 'a campaign that runs')
  await shoot(desk, 'desk-campaign')
  await page.getByRole('link', { name: '回今日' }).click()
  await doors.getByRole('link', { name: /101室.*孩子呕吐/ }).click()
  await see(page.getByText('上次说好：孩子呕吐，明早陪同到定点医院'))
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已记下' }))
  await expect.poll(() => desk.getByRole('radio', { name: /需跟进 0/ }).count(), { timeout: 15_000 }).toBe(1)

  // The last word, and the report.
  await desk.getByRole('button', { name: '结束行动' }).click()
  await see(desk.getByText('还有 1 户（处）未见到、0 户（处）需跟进。'))
  await desk.getByRole('dialog').getByRole('textbox', { name: '总结' }).fill('两户已走访，患儿已就诊；一户外出，由社区继续联系。')
  await desk.getByRole('dialog').getByRole('button', { name: '结束行动' }).click()
  await see(desk.getByText('已结束'))
  await see(desk.getByText('两户已走访，患儿已就诊'))
  await shoot(desk, 'desk-campaign-closed')
  await desk.setViewportSize(PHONE)
  await accessible(desk, 'a campaign on a small screen')
  await shoot(desk, 'desk-campaign-closed')
  await leave(worker, centre, supervisor, planner)
}, WHOLE_MS)
