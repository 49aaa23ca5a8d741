// Several bodies on one matter, more time by somebody else's leave, and one matter that two residents reported.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, dialog, dispatchByRule, field, openCase, takeDown } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor, type Person } from '../kit/people'
import { photo } from '../kit/photo'
import { follow, report } from '../kit/portal'

const morning = inject('morning')

test('a walk-in matter is done by two bodies, each with its own part and clock, with more time and a pause by approval', async () => {
  const clerk = await staff(morning, 'clerk')
  const told = await takeDown(clerk.page, { channel: '窗口', phone: '13900002222', name: '周先生', body: '海晏路灯杆倾斜，灯罩快掉下来了', category: '路灯与景观照明' })
  expect(told.number).toMatch(/^WH\d{8}-\d+$/)
  await leave(clerk)

  const handler = await staff(morning, 'handler')
  const { page } = handler
  await openCase(page, told.number)
  await act(page, /^签收/)
  await act(page, /协办$|协办 ?o/, async (form) => {
    await choose(page, form.getByRole('combobox', { name: '单位' }), '住房和城乡建设局')
    await field(form, '负责哪一部分').fill('扶正灯杆，更换灯罩')
  })
  const parts = page.locator('section', { has: page.getByRole('heading', { name: '协办', exact: true }) })
  await see(parts.getByText('扶正灯杆，更换灯罩'))
  await see(parts.getByText(/还剩/))
  await see(page.locator('.clock', { hasText: '住房和城乡建设局' }).getByText(/还剩/))
  await accessible(page, 'case with a co-handler')
  await shoot(page, 'desk-together')

  // More time: asked for by the unit, decided by somebody else.
  const requests = page.locator('section', { has: page.getByRole('heading', { name: '申请', exact: true }) })
  const due = await textOf(page.locator('.deadline'))
  await act(page, /^申请/, async (form) => {
    await form.getByRole('radio', { name: '延期' }).check({ force: true })
    await form.locator('footer .el-button').last().click()
    await see(form.getByText('请填写这一项'))
    await field(form, '理由').fill('配件从外地发货，后天才到')
  })
  await see(requests.getByText('待审批'))
  const supervisor = await staff(morning, 'supervisor')
  await decide(supervisor, told.number, '批准')
  await page.reload()
  await see(requests.getByText('已批准'))
  expect(await textOf(page.locator('.deadline'))).not.toBe(due)

  // A pause stops the clock until it is taken up again.
  await act(page, /^申请/, async (form) => {
    await form.getByRole('radio', { name: '暂停计时' }).check({ force: true })
    await field(form, '理由').fill('台风停工')
    await form.getByRole('combobox', { name: '截止时间' }).fill('2026-03-13 09:00')
    await form.getByRole('combobox', { name: '截止时间' }).press('Enter')
  })
  await decide(supervisor, told.number, '批准')
  await page.reload()
  await see(page.getByText('计时已暂停').first())
  await leave(supervisor)
  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, told.number)
  await act(dispatcher.page, /^恢复计时/)
  await gone(dispatcher.page.locator('.deadline', { hasText: '计时已暂停' }))
  await leave(dispatcher)

  // To finish while a part is owed takes a reason; the part is done, and then it does not.
  await page.reload()
  await page.getByRole('group', { name: '可以做的操作' }).getByRole('button', { name: /^办结/ }).click()
  await see(dialog(page).getByText('还有协办单位没有完成'))
  await dialog(page).getByRole('button', { name: '取消' }).click()
  const housing = await staff(morning, 'housing')
  await openCase(housing.page, told.number)
  await act(housing.page, /^协办完成/, async (form) => {
    await field(form, '办理结果').fill('灯杆已扶正，灯罩已更换')
  })
  await see(housing.page.getByText('灯杆已扶正，灯罩已更换').first())
  await leave(housing)
  await page.reload()
  await act(page, /^办结/, async (form) => {
    expect(await form.getByText('还有协办单位没有完成').isVisible()).toBe(false)
    await field(form, '办理结果').fill('现场复核，照明正常')
    for (const [i, name] of ['lamp-before', 'lamp-after'].entries()) await form.locator('input[type=file]').nth(i).setInputFiles(photo(name))
    await gone(form.locator('progress'))
  })
  await see(page.getByText('待反馈').first())
  await leave(handler)

  // Whoever walked in follows it with what was read out.
  const resident = await visitor(morning, { size: PHONE })
  await follow(resident.page, told.number, told.code)
  await see(resident.page.getByText('海晏路灯杆倾斜'))
  await leave(resident)
})

/** Somebody who may, decides from the list of what waits. */
async function decide({ page }: Person, number: string, how: string) {
  await page.goto('/desk/approvals')
  await page.locator('tr[data-case]', { hasText: number }).click()
  await see(page.locator('aside', { hasText: number }))
  await page.locator('aside .notice').getByRole('button', { name: how, exact: true }).click()
  await dialog(page).locator('footer .el-button').last().click()
  await gone(page.locator('.el-dialog:visible'))
}

test('two residents report the same: merged, both hear of it; split, each has its own matter again', async () => {
  const [first, second] = [await visitor(morning, { size: PHONE }), await visitor(morning, { size: PHONE })]
  const one = await report(first.page, { body: '海晏公园门口下水道堵了，污水往外冒', address: '海晏', phone: '13900003331' })
  const two = await report(second.page, { body: '公园边上污水满地，臭得很', address: '海晏', phone: '13900003332' })
  const dispatcher = await staff(morning, 'dispatcher')
  const { page } = dispatcher
  await openCase(page, two.number)
  await act(page, /^合并/, async (form) => {
    await choose(page, form.getByRole('combobox', { name: '合并到哪一件' }), one.number)
  })
  await see(page.getByText(one.number).first())
  await openCase(page, one.number)
  await see(page.getByText('公园边上污水满地，臭得很').first())
  await shoot(page, 'desk-merged')
  // Each goes on with the number they were given, and hears what becomes of the one matter.
  await dispatchByRule(page, '排水堵塞与积水')
  for (const [person, made] of [[first, one], [second, two]] as const) {
    await follow(person.page, made.number, made.code)
    await see(person.page.locator('.now').getByText(/待派遣|待签收/))
  }
  // The later one reads that it was put together with an earlier one, and nothing of who reported that or how.
  const joined = second.page.locator('.together')
  await see(joined.getByText(/更早的诉求是同一个问题/))
  expect(await textOf(joined)).toContain(one.number)
  expect(await textOf(second.page.locator('main'))).not.toContain('下水道堵了')
  expect(await first.page.locator('.together').count()).toBe(0)
  await accessible(second.page, 'follow page of a merged report')
  await shoot(second.page, 'portal-merged')
  const desk = await staff(morning, 'dispatcher')
  await desk.page.goto('/desk/admin/outbox')
  await see(desk.page.getByText(/合并办理/).first())
  await leave(desk)

  await page.reload()
  await act(page, /^拆分/, async (form) => {
    await form.getByText(/公园边上污水满地/).click()
  })
  await openCase(page, two.number)
  expect(await textOf(page.locator('header.top').last())).not.toContain('已合并')
  for (const [person, made] of [[first, one], [second, two]] as const) {
    await person.page.reload()
    await follow(person.page, made.number, made.code)
    await see(person.page.locator('.now'))
    expect(await person.page.locator('.together').count()).toBe(0)
  }
  await leave(first, second, dispatcher)
})
