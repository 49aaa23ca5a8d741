// A visiting team: made by the administrator, hears two matters at the door, and the grid worker tells what became of them.
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, dialog, field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'

const morning = inject('morning')
const TEAM = '文旅走访队'

/** The badge of whoever is signed in, as the administrator reads it: names may be two people's. */
async function badge(page: Page, admin: Page): Promise<string> {
  const me = (await (await page.request.get('/api/v1/session')).json()) as { worker_id: string }
  const worker = (await (await admin.request.get(`/api/v1/workers/${me.worker_id}`)).json()) as { badge_no: string }
  return worker.badge_no
}

/** Clause LH-22 */
test('a team hears two matters: one is answered at the door, one is handled by the unit and told by the liaison', async () => {
  const at = await pointOf(morning, '海晏第一网格')
  const member = await staff(morning, 'team', { size: PHONE, at })
  const liaison = await staff(morning, 'grid', { size: PHONE, at })

  // The administrator makes the team; somebody without a grid post in its areas cannot be its liaison.
  const admin = await staff(morning, 'system')
  const [memberBadge, liaisonBadge] = [await badge(member.page, admin.page), await badge(liaison.page, admin.page)]
  await admin.page.goto('/desk/admin/teams')
  await admin.page.getByRole('button', { name: '新建走访队' }).click()
  const form = dialog(admin.page)
  await field(form, '队名').fill(TEAM)
  await choose(admin.page, form.getByRole('combobox', { name: '派出单位' }), '文化和旅游局')
  await choose(admin.page, form.getByRole('combobox', { name: '走访区域' }), '海晏第一网格')
  await field(form, '队名').click()
  await choose(admin.page, form.getByRole('combobox', { name: '联络员' }), memberBadge)
  await form.getByRole('button', { name: '保存' }).click()
  await see(form.getByText('联络员应是在走访区域内任职的网格员。'))
  expect(await field(form, '队名').inputValue()).toBe(TEAM)
  await accessible(admin.page, 'new team')
  await shoot(admin.page, 'desk-team-new')
  await choose(admin.page, form.getByRole('combobox', { name: '联络员' }), liaisonBadge)
  await form.getByRole('button', { name: '保存' }).click()
  await gone(admin.page.locator('.el-dialog:visible'))
  await see(admin.page.getByRole('heading', { name: TEAM }))
  await admin.page.getByRole('button', { name: '增加队员' }).click()
  await choose(admin.page, dialog(admin.page).getByRole('combobox', { name: '网格员' }).or(dialog(admin.page).getByRole('combobox', { name: '人员' })), memberBadge)
  await dialog(admin.page).getByRole('button', { name: '保存' }).click()
  await gone(admin.page.locator('.el-dialog:visible'))
  await see(admin.page.locator('.members li', { hasText: memberBadge }))
  await accessible(admin.page, 'teams')
  await shoot(admin.page, 'desk-teams')
  await admin.page.setViewportSize(PHONE)
  await shoot(admin.page, 'desk-teams')

  // At the door: one answered on the spot, in one form.
  const { page } = member
  await page.goto('/field/spot')
  await see(page.getByText(/^位置/))
  await field(page, '今天随哪支走访队').selectOption({ label: TEAM })
  await field(page, '简单说一句').fill('老人不知道文化馆的书法班怎么报名')
  await field(page, '怎么处理的').fill('当场打电话问清，帮老人报上了名')
  await field(page, '告诉了居民什么').fill('周三上午开班，带身份证')
  await page.locator('input[type=file]').last().setInputFiles(photo('door'))
  await gone(page.locator('.photo progress'))
  await accessible(page, 'on the spot with a team')
  await shoot(page, 'field-team-spot')
  await page.getByRole('button', { name: '上报并办结' }).click()
  await see(page.getByRole('heading', { name: '已上报' }))

  // The other goes to the unit that is responsible.
  await page.goto('/field/new')
  await see(page.getByText(/^位置/))
  await field(page, '今天随哪支走访队').selectOption({ label: TEAM })
  await page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await page.getByRole('button', { name: '占道经营与流动摊贩' }).click()
  await field(page, '简单说一句').fill('早市的摊子摆到小区门口，车出不来')
  await field(page, '居民电话').fill('13900007777')
  await field(page, '居民称呼').fill('王大妈')
  await shoot(page, 'field-team-report')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(page.getByRole('heading', { name: '已上报' }))
  const number = await textOf(page.locator('section[role=status] .num'))
  await page.getByRole('link', { name: '看这件事' }).click()
  await see(page.getByText(`${TEAM}走访听取`))

  // The unit handles it; that the result is told is not for the unit to say.
  const handler = await staff(morning, 'handler')
  await openCase(handler.page, number)
  await see(handler.page.getByText(`${TEAM}走访听取`).first())
  await act(handler.page, /^签收/)
  await act(handler.page, /^办结/, async (sent) => {
    await field(sent, '办理结果').fill('已劝离摊主，安排早市时段值守')
    await sent.locator('input[type=file]').nth(1).setInputFiles(photo('stall'))
    await gone(sent.locator('progress'))
  })
  await handler.page.getByText(/现在不能做/).click()
  await see(handler.page.getByText(/由走访队的联络员.*反馈居民/))

  // The liaison has it on the list of the day, and tells the resident.
  await liaison.page.goto('/field/')
  const owed = liaison.page.locator('a.line', { hasText: '早市的摊子' })
  await see(owed.getByText(`待反馈 · ${TEAM}`))
  await accessible(liaison.page, 'today of a liaison')
  await shoot(liaison.page, 'field-today-liaison')
  await owed.click()
  await liaison.page.getByRole('button', { name: '反馈居民' }).click()
  const sheet = liaison.page.locator('dialog[open]')
  await field(sheet, '告诉了居民什么').fill('摊子已经劝离，早上有人值守')
  await field(sheet, '居民怎么说').fill('出得来了，谢谢')
  await sheet.locator('button').last().click()
  await see(liaison.page.getByText(/已完成：/))
  await liaison.page.goto('/field/')
  await see(liaison.page.getByRole('heading', { name: /今日事件\s*\d+ 件/ }))
  expect(await liaison.page.locator('a.line', { hasText: '早市的摊子' }).count()).toBe(0)

  // The figures say so, and each leads to just as many cases.
  const dispatcher = await staff(morning, 'dispatcher')
  const desk = dispatcher.page
  for (const [label, count] of [['听取', 2], ['现场答复', 1], ['按时办结率', 2], ['反馈率', 2]] as const) {
    await desk.goto('/desk/board/teams')
    const cell = desk.locator('tr', { hasText: TEAM }).locator(`td[data-label=${label}]`)
    await see(cell.getByRole('link'))
    if (label === '听取') {
      await accessible(desk, 'teams in figures')
      await shoot(desk, 'desk-team-figures')
    }
    expect(await textOf(cell.getByRole('link'))).toBe(String(count))
    await cell.getByRole('link').first().click()
    await see(desk.locator('tr[data-case]'))
    expect(await desk.locator('tr[data-case]').count(), label).toBe(count)
  }
  await accessible(desk, 'cases of a team')
  await shoot(desk, 'desk-team-cases')
  await desk.goto('/desk/board/teams')
  await see(desk.locator('tr', { hasText: TEAM }))
  await desk.setViewportSize(PHONE)
  await shoot(desk, 'desk-team-figures')
  await leave(admin, member, handler, liaison, dispatcher)
})
