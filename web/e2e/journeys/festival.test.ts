// The night before the Spring Festival holiday: an emergency reaches the stand-in of a worker on leave, and an ordinary
// matter's deadline is explained interval by interval, holidays and make-up day included.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, dialog, dispatchByRule, field, fillTime, offers, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { follow, pointOf, report } from '../kit/portal'

const festival = inject('festival')

test('a clock over Spring Festival is explained line by line, to staff and to the resident', async () => {
  const resident = await visitor(festival, { size: PHONE })
  const made = await report(resident.page, { body: '顶楼屋顶漏水，墙面渗水发霉，物业一直没人来修', address: '海晏', phone: '13900005555' })

  const dispatcher = await staff(festival, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await see(dispatcher.page.getByText('等字词自动分类为“屋面渗漏水”'))
  await dispatcher.page.getByRole('button', { name: /怎么算的/ }).first().click()
  const drawer = dispatcher.page.locator('.el-drawer:visible')
  await see(drawer.getByRole('table'))
  const lines = await drawer.innerText()
  for (const word of ['春节', '调休', '计入', '不计']) expect(lines).toContain(word)
  const due = await textOf(drawer.locator('.due strong'))
  // Taken over on the make-up Saturday 14 February, then five working days: 14, 24, 25, 26, 27.
  expect(due).toMatch(/2月27日|02-27|2\/27/)
  await accessible(dispatcher.page, 'explanation')
  await shoot(dispatcher.page, 'desk-explain')

  await follow(resident.page, made.number, made.code)
  await resident.page.getByText('这个时间是怎么算出来的？').click()
  const told = await textOf(resident.page.locator('ol.lines'))
  expect(told).toContain('春节')
  expect(await textOf(resident.page.locator('.facts'))).toContain('2月27日')
  await accessible(resident.page, 'follow with explanation')
  await shoot(resident.page, 'portal-explained')
  await leave(dispatcher, resident)
})

/** Clause LH-08 */
test('an emergency at night reaches the stand-in of a worker on leave, who arrives and deals with it', async () => {
  const officer = await staff(festival, 'personnel')
  const { page } = officer
  await page.goto('/desk/admin/units')
  await page.getByRole('textbox', { name: '名称或代码' }).fill('海晏第一网格网格服务团队')
  await page.getByRole('button', { name: /海晏第一网格网格服务团队/ }).click()
  await page.locator('tr', { hasText: '网格员' }).locator('td').nth(3).getByRole('link').click()
  await page.getByRole('button', { name: '登记请假' }).click()
  await fillTime(field(dialog(page), '起'), '2026-02-13 17:30')
  await fillTime(field(dialog(page), '止'), '2026-02-24 08:00')
  await field(dialog(page), '理由').fill('春节回乡')
  await dialog(page).getByRole('button', { name: '保存' }).click()
  await gone(page.locator('.el-dialog:visible'))
  await leave(officer)

  const resident = await visitor(festival, { size: PHONE, at: await pointOf(festival, '海晏第一网格') })
  await resident.page.goto('/report')
  await field(resident.page, '请说说是什么事').fill('路边的窨井盖没了，有人骑车掉进去了')
  // Danger is named at once, with whom to call.
  await see(resident.page.getByText(/110/).first())
  await shoot(resident.page, 'portal-emergency')
  const made = await report(resident.page, { body: '路边的窨井盖没了，有人骑车掉进去了', here: true })
  await leave(resident)

  // The stand-in's phone says so, at night and out of office hours; arrival is confirmed and measured.
  const standIn = await staff(festival, 'standin', { size: PHONE, at: await pointOf(festival, '海晏第一网格') })
  await standIn.page.goto('/field/')
  await shoot(standIn.page, 'field-alert')
  await accessible(standIn.page, 'alert')
  await standIn.page.getByRole('link', { name: new RegExp(`请马上去：.*${made.number}`) }).click()
  await standIn.page.getByRole('button', { name: '我到了' }).click()
  await standIn.page.getByRole('dialog').getByRole('button', { name: '确认' }).click()
  await see(standIn.page.getByText('已完成：我到了'))
  await standIn.page.getByText('经过', { exact: true }).click()
  await see(standIn.page.getByText(/已到场，用时 \d+ 分钟/))
  await shoot(standIn.page, 'field-arrived')

  // The duty desk decides at once; the unit on call deals with it.
  const dispatcher = await staff(festival, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await see(dispatcher.page.getByText('看起来紧急'))
  await dispatchByRule(dispatcher.page, '井盖破损缺失')
  await leave(dispatcher)
  const handler = await staff(festival, 'handler')
  await openCase(handler.page, made.number)
  await see(handler.page.getByText(/\d+ 分钟到场/))
  if (await offers(handler.page, /^签收/)) await act(handler.page, /^签收/)
  await act(handler.page, /^办结/, async (form) => {
    await field(form, '办理结果').fill('已设围挡警示，新井盖当夜盖好')
    await form.locator('input[type=file]').first().setInputFiles(photo('night-before'))
    await form.locator('input[type=file]').nth(1).setInputFiles(photo('night-after'))
    await gone(form.locator('progress'))
  })
  await see(handler.page.getByText('待反馈').first())
  await leave(handler)
  await leave(standIn)
})
