// What a phone could not hand over, seen by its worker and by who supervises; and a phone that is lost.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, field, openCase } from '../kit/desk'
import { lineTo } from '../kit/line'
import { leave, PHONE, shoot, signIn, staff, visitor } from '../kit/people'
import { pointOf } from '../kit/portal'
import { PASSWORD } from '../kit/server'

const morning = inject('morning')
const LOGIN = 'standin'

test('work that somebody else overtook waits for the worker and the supervisor; a lost phone is cleared', async () => {
  const line = await lineTo(morning)
  const at = await pointOf(morning, '海晏第二网格')
  const worker = await visitor(line, { size: PHONE, at })
  const { page, context } = worker
  await signIn(page, LOGIN, PASSWORD)
  await page.goto('/field/new')
  await see(page.getByText(/^位置 .*海晏第二网格/))
  await page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await page.getByRole('button', { name: '路灯与景观照明' }).click()
  await field(page, '简单说一句').fill('公园东门的路灯整夜不亮')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '已上报' }))
  const number = await textOf(page.locator('section[role=status] .num'))
  await page.getByRole('link', { name: '看这件事' }).click()
  await see(page.getByRole('button', { name: '备注' }))
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))

  // Without a signal the worker writes on it; meanwhile the unit takes it.
  line.cut()
  await context.setOffline(true)
  await page.getByRole('button', { name: '备注' }).click()
  const sheet = page.locator('dialog[open]')
  await field(sheet, '备注内容').fill('灯杆编号 31，配电箱门开着')
  await sheet.getByRole('button', { name: '确认' }).click()
  await see(page.getByText('有 1 条还没发出去'))
  const handler = await staff(morning, 'handler')
  await openCase(handler.page, number)
  await act(handler.page, /^签收/)
  line.mend()
  await context.setOffline(false)
  await see(page.getByText('有 1 条没有收下，需要您处理'))
  await page.goto('/field/me')
  await see(page.getByRole('button', { name: '仍然这样办' }))
  await see(page.getByText('您的主管也能看到'))
  await accessible(page, 'what was not taken')
  await shoot(page, 'field-kept')

  // Whoever supervises sees it with its reason, and takes it in under the worker's name.
  const supervisor = await staff(morning, 'supervisor')
  const desk = supervisor.page
  await desk.goto('/desk/kept')
  const one = desk.locator('li.one', { hasText: '配电箱门开着' })
  await see(one)
  await accessible(desk, 'what phones could not hand over')
  await shoot(desk, 'desk-kept')
  await one.getByRole('button', { name: '记入' }).click()
  await gone(one)
  await handler.page.reload()
  await see(handler.page.getByText('配电箱门开着').first())

  // On another phone: the first one is lost.
  const other = await visitor(morning, { size: PHONE, at })
  await signIn(other.page, LOGIN, PASSWORD)
  await other.page.goto('/field/me')
  await see(other.page.getByRole('heading', { name: '我的手机' }))
  await shoot(other.page, 'field-phones')
  await other.page.getByRole('button', { name: '丢了，停用它' }).first().click()
  await see(other.page.getByText('那部手机下次联网时清除'))
  await other.page.getByRole('button', { name: '确定停用' }).click()
  await see(other.page.getByRole('dialog', { name: '请重新登录' }))
  await page.goto('/field/')
  await page.waitForURL('**/field/login**')
  expect(await page.evaluate(keptNames)).not.toContain('seen/')
  const security = await staff(morning, 'security')
  await security.page.goto('/desk/accounts')
  await security.page.getByRole('row', { name: new RegExp(LOGIN) }).getByRole('button', { name: '手机' }).click()
  await see(security.page.getByText('已停用，资料已清除'))
  await accessible(security.page, 'phones of an account')
  await shoot(security.page, 'desk-phones')
  await leave(worker, handler, supervisor, other, security)
  await line.close()
})

/** What the phone's own store holds, by name. */
async function keptNames() {
  const db = await new Promise<IDBDatabase>((resolve) => (indexedDB.open('wangge-field').onsuccess = (e) => resolve((e.target as IDBOpenDBRequest).result)))
  const names = await new Promise<IDBValidKey[]>((resolve) => (db.transaction('item').objectStore('item').getAllKeys().onsuccess = (e) => resolve((e.target as IDBRequest).result)))
  return names.join()
}
