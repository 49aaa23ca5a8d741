// A dispute: mediated where it arose, passed on at once when that fails, settled with a signed paper and a day to look again;
// and the view of how old the open ones are.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, dialog, dispatchByRule, field, fillTime, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf, report } from '../kit/portal'

const morning = inject('morning')
const QUARREL = '邻居在楼道堆杂物挡住我家门，说了几次还吵起来了'

/** Clause ZS-17 */
test('a dispute climbs from the community to the street and is settled, and the ages of the open ones lead to their cases', async () => {
  const at = await pointOf(morning, '海晏第一网格')
  const resident = await visitor(morning, { size: PHONE, at })
  const made = await report(resident.page, { body: QUARREL, here: true, phone: '13900002345' })
  const other = await report(resident.page, { body: '楼上邻居半夜装修，隔壁几家都来理论', here: true })
  await leave(resident)
  const dispatcher = await staff(morning, 'dispatcher')
  for (const number of [made.number, other.number]) {
    await openCase(dispatcher.page, number)
    await dispatchByRule(dispatcher.page, '邻里纠纷')
  }
  await leave(dispatcher)

  // Not settled in the community: to the street in the same moment.
  const first = await staff(morning, 'mediator')
  await openCase(first.page, made.number)
  await act(first.page, /^签收/)
  await see(first.page.getByText('调不成时转：乡镇（街道）调解'))
  await act(first.page, /^登记调解|^记录调解/, async (form) => {
    await form.getByRole('radio', { name: '未达成' }).check({ force: true })
    await field(form, '协议内容').fill('一方不肯清理，另一方要求赔礼')
    await field(form, '调解人').fill('社区调解员和楼组长')
  })
  await leave(first)

  const second = await staff(morning, 'mediator2')
  const { page } = second
  await openCase(page, made.number)
  await see(page.getByText('未能调成，已转：乡镇（街道）调解'))
  await act(page, /^签收/)
  await act(page, /^登记调解|^记录调解/, async (form) => {
    await form.getByRole('radio', { name: '达成协议' }).check({ force: true })
    await field(form, '协议内容').fill('三天内清空楼道，今后不再堆放')
    await fillTime(field(form, '回访日期'), '2026-03-18')
    await form.locator('input[type=file]').setInputFiles(photo('agreement'))
    await gone(form.locator('progress'))
    await accessible(page, 'mediation form')
    await shoot(page, 'desk-mediation-form')
  })
  await see(page.getByText('2026-03-18 回访是否履行'))
  await see(page.locator('figcaption', { hasText: '协议书' }))
  await accessible(page, 'dispute')
  await shoot(page, 'desk-dispute')
  await page.getByRole('button', { name: '登记回访' }).click()
  const form = dialog(page)
  await form.getByRole('radio', { name: '没有履行' }).check({ force: true })
  await form.getByRole('button', { name: '保存' }).click()
  await see(form.getByRole('alert'))
  await field(form, '回访情况').fill('楼道还没清')
  await form.getByRole('button', { name: '保存' }).click()
  await gone(page.locator('.el-dialog:visible'))
  await see(page.getByText('楼道还没清').first())
  await leave(second)

  // How old what is open is: from the city down, and each number is the list behind it.
  const boss = await staff(morning, 'supervisor')
  await boss.page.goto('/desk/disputes')
  const whole = boss.page.locator('.ageing tr.whole')
  await see(whole)
  await see(boss.page.getByRole('columnheader', { name: '积压：超过 30 天' }))
  await accessible(boss.page, 'disputes')
  await shoot(boss.page, 'desk-disputes')
  const total = Number(await textOf(whole.locator('td').nth(6)))
  expect(total).toBeGreaterThanOrEqual(2)
  await whole.locator('td').nth(1).getByRole('link').click()
  await see(boss.page.locator('.sums strong'))
  expect(Number(await textOf(boss.page.locator('.sums strong')))).toBe(total)
  await see(boss.page.locator('tr[data-case]', { hasText: made.number }))
  await boss.page.goBack()
  await boss.page.getByRole('button', { name: '望海门街道', exact: true }).click()
  await see(boss.page.locator('.ageing tr', { hasText: '海晏社区' }))
  await boss.page.setViewportSize(PHONE)
  await shoot(boss.page, 'desk-disputes')
  await leave(boss)
})
