// Checkpoints: what is to be looked at in a grid, on the phone's map; a round with photos without a signal; who supervises sees each with its evidence.
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { field } from '../kit/desk'
import { get } from '../kit/homes'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 120_000
const GRID = '海晏第一网格'

/** Clause LH-12 */
test('checkpoints stand on the map, are checked round by round with photos, and the evidence is seen', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const system = await staff(running, 'system')
  const at = await pointOf(running, GRID)
  const rows = ['code,name,kind,lon,lat', ...[1, 2].map((n) => `CP${n},${n}号楼道,公共厕所,${at.longitude + n * 0.0005},${at.latitude}`)]
  const made = await system.page.request.post('/api/v1/facilities/import?datum=wgs84', { data: rows.join('\n'), headers: { 'x-wangge-client': 'desk', 'content-type': 'text/csv' } })
  expect(made.status(), await made.text()).toBeLessThan(300)
  expect((await system.page.request.post('/api/v1/duties/roll', { data: {}, headers: { 'x-wangge-client': 'desk' } })).status()).toBeLessThan(300)

  const line = await lineTo(running)
  onTestFinished(line.close)
  const worker = await staff(line, 'grid', { size: PHONE, at })
  const { page, context } = worker
  await page.goto('/field/')
  await expect.poll(async () => {
    await page.getByRole('button', { name: '刷新' }).click()
    return page.getByRole('link', { name: /号楼道/ }).count()
  }).toBe(2)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.goto('/field/map')
  await see(page.getByRole('button', { name: /今天该去 2/ }))

  // The round goes on without a signal.
  line.cut()
  await context.setOffline(true)
  await page.getByRole('button', { name: /^今天该去：1号楼道/ }).press('Enter')
  await accessible(page, 'checkpoints on the map')
  await shoot(page, 'field-checkpoints')
  await page.getByRole('link', { name: '去办' }).click()
  await see(page.getByText('这一次还要照片才算数').or(page.getByText(/这一次还要照片/)).first())
  await page.locator('input[type=file]').first().setInputFiles(photo('rubble'))
  await see(page.locator('.photo img'))
  await field(page, '说了什么、看到什么').fill('楼道干净，灭火器在有效期内。')
  await page.getByRole('button', { name: '记下', exact: true }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  await page.goto('/field/map')
  await see(page.getByRole('button', { name: /今天该去 1/ }))
  line.mend()
  await context.setOffline(false)
  await page.goto('/field/me')
  await see(page.getByText('全部已发送'))

  const supervisor = await staff(running, 'supervisor')
  const grid = (await get<{ items: { id: string; name: string }[] }>(supervisor.page, '/areas?level=grid')).items.find((one) => one.name === GRID)!
  await supervisor.page.goto(`/desk/duties?area=${grid.id}&rule=toilet_check`)
  const lines = supervisor.page.getByRole('region', { name: '逐处' })
  await see(lines.getByRole('row', { name: /1号楼道.*已办/ }))
  expect(await lines.getByRole('row', { name: /2号楼道/ }).getByRole('button').count(), 'nothing was done there yet').toBe(0)
  await lines.getByRole('button', { name: '1号楼道' }).click()
  const dialog = supervisor.page.getByRole('dialog')
  await see(dialog.getByText('楼道干净，灭火器在有效期内。'))
  const picture = dialog.getByRole('img', { name: '照片 1' })
  await see(picture)
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0)
  await accessible(supervisor.page, 'what was done at a checkpoint')
  await shoot(supervisor.page, 'desk-visits')
  await leave(worker, supervisor, system)
}, WHOLE_MS)
