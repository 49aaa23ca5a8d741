// A patrol on the phone: begun, walked, paused, reloaded, ended without a signal; and what the supervisor sees of it.
import { expect, onTestFinished, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { pointOf } from '../kit/portal'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 120_000
const GRID = '海晏第一网格'
/** Degrees of longitude of about forty metres here. */
const STEP = 0.0004

test('a worker patrols with a pause and without a signal, and the supervisor sees the way', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const line = await lineTo(running)
  onTestFinished(line.close)
  const begin = await pointOf(running, GRID)
  const worker = await staff(line, 'grid', { size: PHONE, at: begin })
  const { page, context } = worker
  // The phone's clock as the place's: minutes pass by it.
  await page.clock.install({ time: new Date(MORNING) })
  await page.goto('/field/')
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.getByRole('link', { name: '去巡查' }).click()
  await see(page.getByText(new RegExp(GRID)))
  await accessible(page, 'before a patrol')
  await page.getByRole('button', { name: '开始巡查' }).click()
  const timer = page.getByRole('timer')
  await see(timer)
  let walked = 0
  const walk = async (steps: number) => {
    for (let i = 0; i < steps; i++) {
      walked++
      await page.clock.runFor(30_000)
      await context.setGeolocation({ longitude: begin.longitude + walked * STEP, latitude: begin.latitude, accuracy: 8 })
      await page.waitForTimeout(150)
    }
  }
  await walk(6)
  await see(page.getByText(/\d+ (米|公里)/).first())
  await accessible(page, 'a patrol under way')
  await shoot(page, 'field-patrol')
  await page.getByRole('button', { name: '暂停' }).click()
  const paused = await timer.innerText()
  await page.clock.runFor(600_000)
  expect(await timer.innerText(), 'nothing is counted in a pause').toBe(paused)
  await page.getByRole('button', { name: '继续' }).click()
  await walk(2)

  // Without a signal, and the page closed and opened again in the middle: it goes on.
  line.cut()
  await context.setOffline(true)
  await page.reload()
  await see(page.getByRole('timer'))
  await walk(4)
  await page.getByRole('button', { name: '结束巡查' }).click()
  await page.getByLabel(/看到什么/).fill('巷口井盖松动，已放警示牌。')
  await page.getByRole('button', { name: '结束并上传' }).click()
  await see(page.getByRole('heading', { name: '已存在手机里' }))
  line.mend()
  await context.setOffline(false)
  await page.goto('/field/me')
  const now = page.getByRole('button', { name: '现在发送' })
  await expect.poll(async () => {
    if (await now.isVisible()) await now.click().catch(() => undefined)
    return page.getByText('全部已发送').first().isVisible()
  }).toBe(true)

  const supervisor = await staff(running, 'supervisor')
  const desk = supervisor.page
  await desk.goto('/desk/patrols')
  const table = desk.getByRole('region', { name: '巡查' })
  await table.getByRole('button', { name: /朱志强/ }).click()
  await see(table.getByText(/6 分钟/))
  await accessible(desk, 'patrols of a day')
  await shoot(desk, 'desk-patrols')
  await table.getByRole('button', { name: '看轨迹' }).click()
  await see(desk.getByRole('img', { name: '走过的路' }))
  await see(desk.getByText(/这次查看会记下您的姓名/))
  await shoot(desk, 'desk-patrol-track')
  await desk.keyboard.press('Escape')
  await desk.setViewportSize(PHONE)
  await shoot(desk, 'desk-patrols')
  await leave(worker, supervisor)
}, WHOLE_MS)
