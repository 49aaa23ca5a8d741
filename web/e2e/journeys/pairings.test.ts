// Pairings: nobody on a register that wants it is without a named person unseen; paired, called on wherever they live, ended with what came of it.
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { choose, field } from '../kit/desk'
import { get, post, register } from '../kit/homes'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 120_000
const GRID = '海晏第一网格'

/** Clause ZS-11 */
test('each on the register has a named person, who calls and says what came of it', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const centre = await staff(running, 'dispatcher')
  const leader = await staff(running, 'supervisor')
  const grid = (await get<{ items: { id: string; name: string }[] }>(centre.page, '/areas?level=grid')).items.find((one) => one.name === GRID)!
  const [unit] = (await get<{ items: { id: string }[] }>(leader.page, '/units?limit=1')).items
  const inUse = await leader.page.request.put('/api/v1/registry/registers/hardship', { data: { unit_id: unit.id, review: '2026-06-01', ends: '2026-09-01' }, headers: { 'x-wangge-client': 'desk' } })
  expect(inUse.status(), await inUse.text()).toBeLessThan(300)
  const homes = []
  for (const [room, name] of [['101', '王秀兰'], ['102', '李建国']]) {
    const one = await register(centre.page, { area_id: grid.id, room }, [{ relation: '户主', name }])
    expect((await post(centre.page, '/registry/registers/hardship/people', { resident_id: one.people[0], source: 'list' })).status()).toBeLessThan(300)
    homes.push(one)
  }

  // Who has nobody stands out: how many in each area, and who, down in the grid.
  const { page } = centre
  await page.goto(`/desk/registry/registers?area=${grid.id}`)
  await see(page.getByText(/2 人没有结对|没有结对.*2/).first())
  await shoot(page, 'desk-unpaired')
  await page.goto(`/desk/registry/households/${homes[0].home}`)
  await choose(page, page.getByRole('combobox', { name: '查看用途' }), '服务')
  await page.getByRole('button', { name: /王\*\*/ }).click()
  const panel = page.getByRole('region', { name: '王**' })
  const box = panel.getByRole('region', { name: '结对' })
  await choose(page, box.getByRole('combobox'), '徐文静')
  await box.getByRole('button', { name: '结对' }).click()
  await see(box.getByText('徐文静').first())
  await accessible(page, 'a pairing')
  await shoot(page, 'desk-pairing')

  // The paired one finds them on the phone, whatever grid it is, and calls.
  const helper = await staff(running, 'standin', { size: PHONE })
  await helper.page.goto('/field/')
  const mine = helper.page.getByRole('region', { name: '我的结对' })
  await see(mine.getByRole('link', { name: /101室/ }))
  await shoot(helper.page, 'field-pairs')
  await mine.getByRole('link', { name: /101室/ }).click()
  await field(helper.page, '说了什么、看到什么').fill('陪老人办好了低保手续。')
  await helper.page.getByRole('button', { name: '记下', exact: true }).click()
  await see(helper.page.getByRole('heading', { name: '已记下' }))

  // What it led to; then they need somebody again, and it is seen.
  await page.reload()
  await page.getByRole('button', { name: /王\*\*/ }).click()
  await box.getByRole('button', { name: '看走访' }).click()
  await see(box.getByText(/3月11日.*/).first())
  await box.getByRole('button', { name: '结束结对' }).first().click()
  await box.locator('form').getByRole('button', { name: '结束结对' }).click()
  await see(box.getByRole('alert').or(box.getByText(/写.*结果|结果/)).first())
  await box.getByRole('textbox', { name: '结对的结果' }).fill('低保已办下来，生活有着落')
  await box.locator('form').getByRole('button', { name: '结束结对' }).click()
  await see(box.getByText(/低保已办下来/))
  await shoot(page, 'desk-pairing-ended')
  await helper.page.goto('/field/')
  await see(helper.page.getByRole('heading', { name: /今日事件/ }))
  expect(await helper.page.getByRole('region', { name: '我的结对' }).getByRole('link', { name: /101室/ }).count()).toBe(0)
  await leave(centre, leader, helper)
}, WHOLE_MS)
