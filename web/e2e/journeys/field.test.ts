// The grid worker's phone: a report with a photo and position, a matter settled on the spot in one form, no signal.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { field, openCase, takeDown } from '../kit/desk'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'

const morning = inject('morning')
const SECONDS_20 = 20_000

/** Clause PJ-05 */
test('a worker reports a broken cover with a photo and position in seconds, and with no signal at all', async () => {
  const line = await lineTo(morning)
  const worker = await staff(line, 'grid', { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  const { page, context } = worker
  await page.goto('/field/new')
  const begun = Date.now()
  await see(page.getByText(/^位置 .*海晏第一网格/))
  await page.locator('input[type=file]').setInputFiles(photo('cover'))
  await see(page.locator('.photo img'))
  await page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await page.getByRole('button', { name: '道路与人行道破损' }).click()
  await field(page, '简单说一句').fill('人行道上井盖破损，边角翘起')
  await accessible(page, 'report of a worker')
  await shoot(page, 'field-report')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '已上报' }))
  expect(Date.now() - begun).toBeLessThan(SECONDS_20)
  const first = await textOf(page.locator('section[role=status] .num'))
  await page.goto('/field/')
  await see(page.getByText('全部已发送'))
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))

  // No signal at all: the page opens all the same, with the kinds of matters, and the report waits on the phone.
  line.cut()
  await context.setOffline(true)
  await page.goto('/field/new')
  const unheard = Date.now()
  await see(page.getByText(/^位置/))
  await page.locator('input[type=file]').setInputFiles(photo('rubble'))
  await see(page.locator('.photo img'))
  await page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await field(page, '简单说一句').fill('绿化带里有乱堆的建筑垃圾')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '还没发出去' }))
  expect(Date.now() - unheard).toBeLessThan(SECONDS_20)
  await see(page.getByText('有 1 条还没发出去'))
  await shoot(page, 'field-unsent')

  // It is nowhere to be read on the phone, and is still there when the page is opened again.
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain('建筑垃圾')
  expect(await page.evaluate(readableItems)).not.toContain('建筑垃圾')
  await page.goto('/field/me')
  await see(page.getByText('1 张照片，已加密存在手机里'))
  await page.reload()
  await see(page.getByText('随手报 · 绿化带里有乱堆的建筑垃圾'))
  await accessible(page, 'what has not been sent')
  await shoot(page, 'field-waiting')

  // The signal is back, and the first answer is lost on the way: sent by itself, and once.
  line.mend()
  await page.route('**/api/v1/sync', async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  }, { times: 1 })
  await context.setOffline(false)
  await see(page.getByRole('button', { name: '现在发送' }))
  await page.getByRole('button', { name: '现在发送' }).click()
  await gone(page.getByText('有 1 条还没发出去'))
  await see(page.getByText('全部已发送'))

  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, first)
  await see(dispatcher.page.getByText('海晏第一网格').first())
  await see(dispatcher.page.locator('img[alt]').first())
  await dispatcher.page.goto('/desk/cases?queue=all&q=' + encodeURIComponent('乱堆的建筑垃圾'))
  const rows = dispatcher.page.locator('tr[data-case]', { hasText: '乱堆的建筑垃圾' })
  await see(rows)
  expect(await rows.count()).toBe(1)
  await rows.getByRole('link').first().click()
  await see(dispatcher.page.locator('img[alt^="反映时"]'))
  await leave(worker, dispatcher)
  await line.close()
})

/** Everything that the phone's own store holds, as text. */
async function readableItems() {
  const db = await new Promise<IDBDatabase>((resolve) => (indexedDB.open('wangge-field').onsuccess = (e) => resolve((e.target as IDBOpenDBRequest).result)))
  const items = await new Promise<{ iv: Uint8Array; data: ArrayBuffer }[]>((resolve) => (db.transaction('item').objectStore('item').getAll().onsuccess = (e) => resolve((e.target as IDBRequest).result)))
  return items.map((one) => Object.keys(one).join() + new TextDecoder().decode(one.data)).join()
}

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

/** A dispute on the mediator's phone: its mediation is recorded there, and the case is read where there is no signal. */
test('a mediation is recorded on the phone, and a case opened before is there without signal', async () => {
  const clerk = await staff(morning, 'clerk')
  const made = await takeDown(clerk.page, { channel: '窗口', phone: '13900007777', name: '宋女士', body: '楼下邻居把三角梅种到我家窗边，吵了几回', category: '邻里纠纷' })
  await openCase(clerk.page, made.number)
  const id = clerk.page.url().split('/').pop() ?? ''
  await leave(clerk)

  const line = await lineTo(morning)
  const mediator = await staff(line, 'mediator', { size: PHONE })
  const { page, context } = mediator
  await page.goto(`/field/case/${id}`)
  await page.getByRole('button', { name: '签收' }).click()
  await page.locator('dialog[open]').getByRole('button', { name: '确认' }).click()
  await page.getByRole('button', { name: '登记调解' }).click()
  const sheet = page.locator('dialog[open]')
  await sheet.getByRole('button', { name: '确认' }).click()
  await see(sheet.getByRole('alert'))
  await sheet.getByRole('radio', { name: '达成协议' }).check()
  await field(sheet, '协议内容').fill('花移到公共花坛，双方各退一步')
  await sheet.getByRole('button', { name: '确认' }).click()
  await see(sheet.getByText('请填写这一项'))
  await field(sheet, '哪天回访').fill('2026-03-18')
  await sheet.locator('input[type=file]').setInputFiles(photo('agreement'))
  await see(sheet.locator('.photo img'))
  await accessible(page, 'mediation on the phone')
  await shoot(page, 'field-mediation')
  await sheet.getByRole('button', { name: '确认' }).click()
  await see(page.getByText('已完成：登记调解'))
  await page.getByText('经过', { exact: true }).click()
  await see(page.getByText('花移到公共花坛，双方各退一步'))
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.reload()
  await see(page.getByText('吵了几回').first())

  // No signal at all: the page is there as it was seen, says so, and what is written then waits on the phone.
  line.cut()
  await context.setOffline(true)
  await page.goto(`/field/case/${id}`)
  await see(page.getByText(/没有网络：这是 .* 看到的/))
  await see(page.getByText('吵了几回').first())
  await see(page.getByText('1 张照片，有网络时才能看'))
  await accessible(page, 'case without signal')
  await shoot(page, 'field-case-offline')
  expect(await page.evaluate(readableItems)).not.toContain('三角梅')
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain('三角梅')
  await page.getByRole('button', { name: '备注' }).click()
  await field(page.locator('dialog[open]'), '备注内容').fill('双方都在家，下午再去看一眼')
  await page.locator('dialog[open]').getByRole('button', { name: '确认' }).click()
  await see(page.getByText('没有网络，已存在手机里，连上网后自动发送。'))
  await page.goto('/field/case/0190aaaa-0000-7000-8000-000000000001')
  await see(page.getByRole('alert'))

  // With signal again it is sent by itself; after signing out nothing can be read any more.
  line.mend()
  await context.setOffline(false)
  await page.goto('/field/me')
  await see(page.getByText('全部已发送'))
  await page.goto(`/field/case/${id}`)
  await page.getByText('经过', { exact: true }).click()
  await see(page.getByText('双方都在家，下午再去看一眼'))
  expect(await page.getByText(/没有网络：这是/).count()).toBe(0)
  expect(await page.evaluate(keptNames)).toContain(`seen/case/${id}`)
  await page.goto('/field/me')
  await page.getByRole('button', { name: '退出登录' }).click()
  await page.waitForURL('**/field/login**')
  expect(await page.evaluate(keptNames)).not.toContain(`seen/case/${id}`)
  await leave(mediator)
  await line.close()
})

/** The names of what the phone's own store holds. */
async function keptNames() {
  const db = await new Promise<IDBDatabase>((resolve) => (indexedDB.open('wangge-field').onsuccess = (e) => resolve((e.target as IDBOpenDBRequest).result)))
  return await new Promise<string>((resolve) => (db.transaction('item').objectStore('item').getAllKeys().onsuccess = (e) => resolve((e.target as IDBRequest).result.join())))
}
