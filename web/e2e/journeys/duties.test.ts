// What a worker owes without being asked: a list for today, one form at the door, and all of it without signal.
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { field } from '../kit/desk'
import { get, register } from '../kit/homes'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 120_000
const GRID = '海晏第一网格'
interface Counts { rules: { rule: string; owed: number; done: number }[] }

/**
 * Clause LH-04
 *
 * The list of a worker is drawn from post, duty and pack; what falls to nobody stands by name.
 */
test('a worker calls at homes without a signal, reports what is found there, and all of it arrives once', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const centre = await staff(running, 'dispatcher')
  const grid = (await get<{ items: { id: string; name: string }[] }>(centre.page, '/areas?level=grid')).items.find((one) => one.name === GRID)!
  for (const room of ['101', '102', '201']) {
    await register(centre.page, { area_id: grid.id, room }, [])
  }
  const visits = async () => {
    const [own] = await get<Counts[]>(centre.page, `/duties/counts?area=${grid.id}`)
    const found = own.rules.find((one) => one.rule === 'household_visit')!
    return [found.owed, found.done]
  }
  expect(await visits()).toEqual([3, 0])

  const line = await lineTo(running)
  onTestFinished(line.close)
  const worker = await staff(line, 'grid', { size: PHONE, at: await pointOf(running, GRID) })
  const { page, context } = worker
  await page.goto('/field/')
  await see(page.getByRole('heading', { name: /今日履职/ }))
  const list = page.getByRole('region', { name: '今日履职' })
  await expect.poll(() => list.getByRole('link').filter({ hasText: '入户走访' }).count()).toBe(3)
  await accessible(page, 'what is owed today')
  await shoot(page, 'field-duties')

  // With a signal: what it counted for is said at once.
  await list.getByRole('link', { name: /101室/ }).click()
  await see(page.getByText('已定位'))
  await see(page.getByText('这一次还要写下说了什么才算数'))
  await field(page, '说了什么、看到什么').fill('老人说楼道灯好了，谢谢；下月要做白内障手术。')
  await accessible(page, 'a visit')
  await shoot(page, 'field-visit')
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已记下' }))
  await see(page.getByText(/入户走访\s*完成第 1 次/))
  await shoot(page, 'field-visit-done')
  expect(await visits()).toEqual([3, 1])
  await page.getByRole('link', { name: '回今日' }).click()
  await expect.poll(() => list.getByRole('link').filter({ hasText: '入户走访' }).count()).toBe(2)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  // The form is on the phone before the signal goes.
  await list.getByRole('link', { name: /102室/ }).click()
  await page.getByRole('link', { name: '今日', exact: true }).click()

  line.cut()
  await context.setOffline(true)
  await page.reload()
  await list.getByRole('link', { name: /102室/ }).click()
  await field(page, '说了什么、看到什么').fill('孩子在家，家里都好。')
  await page.getByRole('button', { name: '＋隐患' }).click()
  await field(page, '发现什么隐患').fill('门口消防通道堆着旧家具')
  await page.locator('section').filter({ hasText: '发现什么隐患' }).locator('input[type=file]').setInputFiles(photo('rubble'))
  await see(page.locator('.photo img'))
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  await see(page.getByText('另有 1 件事也已存在手机里'))
  await page.getByRole('link', { name: '回今日' }).click()
  await see(page.getByText('已记下 1 处，等有网络时发送。'))
  await see(page.getByText('有 2 条还没发出去'))
  await list.getByRole('link', { name: /201室/ }).click()
  await page.getByText('没人在家').click()
  await page.getByRole('button', { name: '记下' }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  await page.getByRole('link', { name: '回今日' }).click()
  await see(page.getByText('已记下 2 处，等有网络时发送。'))
  await shoot(page, 'field-duties-offline')
  expect(await visits(), 'nothing has arrived').toEqual([3, 1])

  // Back: the first answer is lost on the way; what was sent twice is there once.
  line.mend()
  await page.route('**/api/v1/sync', async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  }, { times: 1 })
  await context.setOffline(false)
  await page.goto('/field/me')
  const now = page.getByRole('button', { name: '现在发送' })
  await expect.poll(async () => {
    if (await now.isVisible()) await now.click().catch(() => undefined)
    return visits()
  }).toEqual([3, 2])
  await expect.poll(async () => (await get<{ items: { title: string }[] }>(centre.page, '/cases?limit=50')).items.filter((one) => one.title.includes('消防通道堆着旧家具')).length).toBe(1)
  const [found] = (await get<{ items: { id: string; title: string }[] }>(centre.page, '/cases?limit=50')).items.filter((one) => one.title.includes('消防通道堆着旧家具'))
  await expect.poll(async () => (await get<{ attachments: unknown[] }>(centre.page, `/cases/${found.id}?purpose=handle`)).attachments.length, { message: 'its photo' }).toBe(1)
  await page.goto('/field/')
  await see(page.getByText('全部已发送'))
  // Nobody was home: it is owed still, and the list says that somebody went.
  await see(list.getByRole('link', { name: /201室.*去过 1 次没办成/ }))

  // The supervisor goes down from the city to the grid and finds each home.
  const supervisor = await staff(running, 'supervisor')
  await supervisor.page.goto('/desk/duties')
  await supervisor.page.getByText('入户走访', { exact: true }).click()
  const table = supervisor.page.getByRole('region', { name: '履职' })
  await see(table.getByRole('row', { name: /望海市.*3.*2/ }))
  // One grid of the city has nobody on its post: what is owed there stands by name, and leads to the posts.
  const nobodys = supervisor.page.getByRole('region', { name: '没有人承担的' })
  await see(nobodys.getByRole('row', { name: /文昌第五网格.*团队每周走访网格.*网格服务.*1/ }))
  await accessible(supervisor.page, 'duties of a city')
  await shoot(supervisor.page, 'desk-duties')
  for (const area of ['望海门街道', '海晏社区', GRID]) await table.getByRole('button', { name: new RegExp(`${area}$`) }).click()
  const lines = supervisor.page.getByRole('region', { name: '逐处' })
  await see(lines.getByRole('row', { name: /101室.*已办/ }))
  // A link to it shows the same.
  await supervisor.page.reload()
  await see(lines.getByRole('row', { name: /101室.*已办/ }))
  await see(lines.getByRole('row', { name: /201室.*未到期.*去过 1 次没办成 没人在家/ }))
  await accessible(supervisor.page, 'duties of a grid')
  await shoot(supervisor.page, 'desk-duties-grid')
  await supervisor.page.setViewportSize(PHONE)
  await shoot(supervisor.page, 'desk-duties-grid')
  await leave(worker, centre, supervisor)
}, WHOLE_MS)
