// The grid worker's phone: a report with a photo and position, a matter settled on the spot in one form, no signal.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'

const morning = inject('morning')
const SECONDS_20 = 20_000

test('a worker reports a broken cover with a photo and position, also without signal', async () => {
  const worker = await staff(morning, 'grid', { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  const { page, context } = worker
  await page.goto('/field/new')
  const begun = Date.now()
  await see(page.getByText(/^位置/))
  await page.locator('input[type=file]').setInputFiles(photo('cover'))
  await see(page.locator('.photo img'))
  await gone(page.locator('.photo progress'))
  await field(page, '简单说一句').fill('人行道上井盖破损，边角翘起')
  await accessible(page, 'report of a worker')
  await shoot(page, 'field-report')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '已上报' }))
  expect(Date.now() - begun).toBeLessThan(SECONDS_20)
  const first = await textOf(page.locator('section[role=status] .num'))

  // No signal: kept on the phone, marked as not sent, sent by itself when the line is back.
  await page.getByRole('button', { name: '再报一件' }).click()
  await field(page, '简单说一句').fill('绿化带里有乱堆的建筑垃圾')
  await context.setOffline(true)
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '还没发出去' }))
  await see(page.getByText('有 1 条还没发出去'))
  await shoot(page, 'field-unsent')
  await context.setOffline(false)
  await gone(page.getByText('有 1 条还没发出去'))

  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, first)
  await see(dispatcher.page.getByText('海晏第一网格').first())
  await see(dispatcher.page.locator('img[alt]').first())
  await dispatcher.page.goto('/desk/cases?queue=all&q=' + encodeURIComponent('乱堆的建筑垃圾'))
  await see(dispatcher.page.locator('tr[data-case]', { hasText: '乱堆的建筑垃圾' }))
  expect(await dispatcher.page.locator('tr[data-case]', { hasText: '乱堆的建筑垃圾' }).count()).toBe(1)
  await leave(worker, dispatcher)
})

/** Clause ZS-09 */
test('what can be solved on the spot is: report, result, photo and answer in one form', async () => {
  const worker = await staff(morning, 'grid', { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  const { page } = worker
  await page.goto('/field/spot')
  await see(page.getByText(/^位置/))
  await page.getByRole('button', { name: '上报并办结' }).click()
  expect(await page.getByRole('alert').count()).toBe(3)
  await field(page, '简单说一句').fill('楼道口的电动车挡住了出口')
  await field(page, '怎么处理的').fill('联系车主当场挪走，并讲明消防通道不能停车')
  await field(page, '告诉了居民什么').fill('已经挪走了，以后有事可以直接打我电话')
  await page.locator('input[type=file]').last().setInputFiles(photo('cleared'))
  await gone(page.locator('.photo progress'))
  await page.getByText('是居民说的？').click()
  await page.getByRole('radio', { name: '走访时居民说的' }).check()
  await field(page, '居民电话').fill('13900006666')
  await accessible(page, 'on-the-spot form')
  await shoot(page, 'field-on-the-spot')
  await page.getByRole('button', { name: '上报并办结' }).click()
  await see(page.getByRole('heading', { name: '已上报' }))
  await page.getByRole('link', { name: '看这件事' }).click()
  await see(page.getByText(/已反馈|已结案|待核查/).first())
  await accessible(page, 'case in the hand')
  await shoot(page, 'field-case')
  await page.goto('/field/')
  await see(page.getByRole('heading', { name: '今日事件' }))
  await accessible(page, 'today')
  await shoot(page, 'field-today')
  await leave(worker)
})
