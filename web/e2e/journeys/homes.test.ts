// The grid on the worker's phone: who lives there, what is dangerous and who needs care, a visit from one form and a change heard at the door, all of it
// without a signal; what somebody else changed meanwhile is seen, and what is no longer the worker's goes from the phone.
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { field } from '../kit/desk'
import { buildings, get, idNumber, post, register } from '../kit/homes'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 150_000
const GRID = '海晏第一网格'

interface Household { members: { phones: string[] }[] }

/**
 * Clause MG-10, clause YC-14, clause YC-21, clause LH-10
 *
 * Hazards and who needs care on the worker's phone without a signal; one visit form that yields requests, errands, hazards and changes at once; somebody
 * new registered with the notice of what is kept and why; two who change one person both see it, and nothing is lost or typed twice.
 */
test('the grid is in the pocket: homes, hazards and care, a visit and a change without a signal, and nothing lost', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const centre = await staff(running, 'dispatcher')
  const planner = await staff(running, 'planner')
  const leader = await staff(running, 'supervisor')
  const at = await pointOf(running, GRID)
  const houses = await buildings(planner.page, at)
  const grid = (await get<{ items: { id: string; name: string }[] }>(centre.page, '/areas?level=grid')).items.find((one) => one.name === GRID)!
  const place = (house: string, room: string) => ({ area_id: grid.id, dwelling_id: houses.get(house), room })
  const wang = await register(centre.page, place('D1', '101'), [
    { relation: '户主', name: '王秀兰', id_number: idNumber('19440302', 811), phones: ['13857200011'] },
    { relation: '孙子女', name: '王小宝', id_number: idNumber('20150608', 812) },
  ])
  await register(centre.page, place('D1', '102'), [{ relation: '户主', name: '李建国', phones: ['13857200012'] }])
  await register(centre.page, place('D2', '201'), [{ relation: '户主', name: '赵和平' }])
  const [unit] = (await get<{ items: { id: string }[] }>(leader.page, '/units?limit=1')).items
  const inUse = await leader.page.request.put('/api/v1/registry/registers/hardship', { data: { unit_id: unit.id, review: '2026-06-01', ends: '2026-09-01' }, headers: { 'x-wangge-client': 'desk' } })
  expect(inUse.status(), await inUse.text()).toBeLessThan(300)
  expect((await post(centre.page, '/registry/registers/hardship/people', { resident_id: wang.people[0], source: 'list' })).status()).toBeLessThan(300)

  const line = await lineTo(running)
  onTestFinished(line.close)
  const worker = await staff(line, 'grid', { size: PHONE, at })
  const { page, context } = worker
  const bundle = page.waitForResponse('**/api/v1/sync/bundle')
  await page.goto('/field/')
  await bundle
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  // A page is on the phone once the service worker has it; nothing of these was opened before the line is cut.
  line.cut()
  await context.setOffline(true)
  await page.goto('/field/homes')
  await see(page.getByRole('heading', { name: /我的住户/ }))
  await see(page.getByText('3 户', { exact: true }))
  await page.getByText('2 户', { exact: true }).click()
  await accessible(page, 'households on the phone')
  await shoot(page, 'field-homes')
  await page.getByRole('searchbox').fill('王')
  await see(page.getByText('找到 1 户'))
  await page.getByRole('searchbox').fill('102')
  await see(page.getByRole('link', { name: /102.*李\*\*/ }))
  await page.getByRole('searchbox').fill('')
  await page.getByRole('button', { name: /困难家庭 1/ }).click()
  await see(page.getByText('找到 1 户'))
  await shoot(page, 'field-homes-care')
  expect(await page.getByText('王秀兰').count()).toBe(0)

  // Hazards and care on the map, without a signal.
  await page.goto('/field/map')
  await see(page.getByRole('button', { name: /需关爱的人家 1/ }))
  await see(page.getByRole('button', { name: /隐患点 1/ }))
  await see(page.getByRole('button', { name: /海晏危旧房/ }))
  await accessible(page, 'the map of the grid')
  await shoot(page, 'field-grid-map')
  await page.getByRole('button', { name: /^需关爱的人家：/ }).press('Enter')
  await page.getByRole('link', { name: /101.*王\*\* 困难家庭/ }).click()

  // One household; a visit nobody asked for, from one form: a request, an errand, a change.
  await see(page.getByRole('heading', { name: /101/ }))
  await see(page.getByText('138****0011'))
  await accessible(page, 'a household on the phone')
  await shoot(page, 'field-home')
  await page.getByRole('link', { name: '记一次走访' }).click()
  await field(page, '说了什么、看到什么').fill('老人腿脚不便，下周陪她去医院。')
  await page.getByRole('button', { name: '＋代办' }).click()
  await field(page, '要帮忙办什么').fill('帮老人申请高龄津贴')
  await page.getByRole('button', { name: '＋隐患' }).click()
  await field(page, '发现什么隐患').fill('厨房煤气软管老化')
  await page.locator('section').filter({ hasText: '发现什么隐患' }).locator('input[type=file]').setInputFiles(photo('rubble'))
  await see(page.locator('.photo img'))
  await page.getByRole('button', { name: '换了电话' }).click()
  await page.getByRole('button', { name: '记下', exact: true }).click()
  await see(page.getByText('请填写这一项').first())
  await shoot(page, 'field-visit-wanting')
  await page.getByRole('radio', { name: /王\*\* 户主/ }).check()
  await field(page, '现在的电话').fill('13857200099')
  await accessible(page, 'a visit with all it yields')
  await shoot(page, 'field-visit-all')
  await page.getByRole('button', { name: '记下', exact: true }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  await see(page.getByText('另有 2 件事也已存在手机里'))

  // Somebody new next door: told what is kept and why, before anything is.
  await page.goto('/field/homes')
  await page.getByRole('searchbox').fill('102')
  await page.getByRole('link', { name: /102/ }).click()
  await page.getByRole('button', { name: '来了人' }).click()
  await page.getByLabel(/^姓名/).fill('周来福')
  await page.getByLabel(/^电话/).fill('13857200077')
  await page.getByRole('button', { name: '记下', exact: true }).click()
  await see(page.getByText('请先告知对方，再登记。'))
  await page.getByText('已经当面告知').click()
  await shoot(page, 'field-newcomer')
  await page.getByRole('button', { name: '记下', exact: true }).click()
  await see(page.getByText('已存在手机里，有网络时上传。').first())
  await see(page.getByText(/已记下，等有网络时上传：来了人/))

  // Meanwhile the desk corrects the same phone number: nobody's is overwritten silently.
  const phones = async () => (await get<Household>(centre.page, `/registry/households/${wang.home}?purpose=registry`)).members.flatMap((one) => one.phones)
  expect(await phones()).toEqual(['138****0011'])
  const desk = await centre.page.request.patch(`/api/v1/registry/residents/${wang.people[0]}`, { data: { phones: ['13857200055'] }, headers: { 'x-wangge-client': 'desk' } })
  expect(desk.status()).toBeLessThan(300)

  line.mend()
  await context.setOffline(false)
  await page.goto('/field/me')
  await expect.poll(async () => (await get<{ items: { title: string }[] }>(centre.page, '/cases?limit=50')).items.filter((one) => /高龄津贴|煤气软管/.test(one.title)).length).toBe(2)
  await see(page.getByText('没有信号的时候，别人已经改动了这件事。请看看现在的情况，再决定。'))
  await shoot(page, 'field-change-overtaken')
  expect(await phones()).toEqual(['138****0055'])
  await see(page.getByText('您填的：13857200099'))
  await page.getByRole('button', { name: '仍然这样办' }).click()
  await expect.poll(phones).toEqual(['138****0099'])
  await page.goto('/field/homes')
  await page.getByRole('button', { name: '刷新' }).click()
  await page.getByRole('searchbox').fill('102')
  await see(page.getByText('2 人', { exact: false }).first())

  // The next visit knows what was said and what is still open.
  await page.goto(`/field/duty/${wang.home}/visit`)
  await see(page.getByText('老人腿脚不便，下周陪她去医院。'))
  await see(page.getByRole('link', { name: /高龄津贴/ }))
  await shoot(page, 'field-visit-second')
  await leave(worker, centre, planner, leader)
}, WHOLE_MS)
