// A work order of a department: through the community's liaison to a grid worker, a problem found on the way, and back.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, dialog, field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf } from '../kit/portal'

const morning = inject('morning')
const TITLE = '汛前道路和排水口排查'

/** Clause LH-14 */
test('an order goes through the liaison to a worker, a problem is collected, and it is cancelled when all is fed back', async () => {
  const department = await staff(morning, 'housing')
  const { page } = department
  await page.goto('/desk/orders')
  await page.getByRole('button', { name: '新交办单' }).click()
  const form = dialog(page)
  await field(form, '交办什么').fill(TITLE)
  await field(form, '要求').fill('逐条街看一遍，能当场处理的当场处理，其余上报')
  await choose(page, form.getByRole('combobox', { name: '事项分类' }), '道路与人行道破损')
  await choose(page, form.getByRole('combobox', { name: '到哪些区域' }), '海晏社区')
  await accessible(page, 'new order')
  await shoot(page, 'desk-order-new')
  await field(form, '交办什么').click()
  await form.getByRole('button', { name: '下派' }).click()
  await page.waitForURL('**/desk/orders/*-*')
  await see(page.getByText('还有区域没有落实，不能销号。'))
  expect(await page.getByRole('button', { name: '销号', exact: true }).isDisabled()).toBe(true)
  const number = await textOf(page.locator('[data-share]'))
  expect(number).toContain('联络员')

  // The liaison of the community passes it to the worker of a grid.
  const liaison = await staff(morning, 'liaison')
  await liaison.page.goto('/desk/orders')
  const waiting = liaison.page.locator('[data-share]', { hasText: TITLE })
  await see(waiting)
  await accessible(liaison.page, 'orders of a liaison')
  await shoot(liaison.page, 'desk-orders')
  await waiting.getByRole('button', { name: '转发' }).click()
  const pass = dialog(liaison.page)
  await pass.getByText(/海晏第一网格/).click()
  await pass.getByRole('button', { name: '转发' }).click()
  await gone(liaison.page.locator('.el-dialog:visible'))
  await see(waiting.getByText('待接收').or(waiting.getByText('待签收')))
  await liaison.page.setViewportSize(PHONE)
  await shoot(liaison.page, 'desk-orders')
  await leave(liaison)

  // On the worker's phone it is one of the day's matters; what is found there is reported in its place.
  const worker = await staff(morning, 'grid', { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  await worker.page.goto('/field/')
  const mine = worker.page.locator('a.case', { hasText: TITLE })
  await see(mine.getByText('交办', { exact: true }))
  await shoot(worker.page, 'field-today-order')
  await mine.click()
  await worker.page.getByRole('button', { name: /^(签收|接收)$/ }).click()
  const sheet = worker.page.locator('dialog[open]')
  if (await sheet.isVisible().catch(() => false)) await sheet.locator('button').last().click()
  await see(worker.page.getByRole('button', { name: '处理完了' }))
  await accessible(worker.page, 'share on the phone')
  await shoot(worker.page, 'field-share')
  const share = worker.page.url()
  await worker.page.getByRole('link', { name: '报告发现的问题' }).click()
  await see(worker.page.getByText('这是办理交办单时发现的问题。'))
  await field(worker.page, '简单说一句').fill('排水口堵死，下雨积水')
  await worker.page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await worker.page.getByRole('button', { name: '上报', exact: true }).click()
  await see(worker.page.getByRole('heading', { name: '已上报' }))
  const problem = await textOf(worker.page.locator('section[role=status] .num'))
  await leave(worker)

  // Carried out with a photo and fed back.
  const again = await staff(morning, 'grid')
  await again.page.goto(share.replace('/field/case/', '/desk/cases/'))
  await act(again.page, /^办结/, async (sent) => {
    await field(sent, '办理结果').fill('看了 18 条街巷，清掏 5 处')
    await sent.locator('input[type=file]').nth(1).setInputFiles(photo('drain'))
    await gone(sent.locator('progress'))
  })
  await act(again.page, /^(反馈|答复)/, async (sent) => {
    await sent.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(sent, '内容').fill('已全部看完，一处堵死另报')
  })
  await leave(again)

  // The problem goes round the main loop before the order can be cancelled.
  await page.reload()
  await see(page.getByText('办理中发现的问题还没有全部答复，不能销号。'))
  await see(page.getByText('看了 18 条街巷，清掏 5 处'))
  await accessible(page, 'order')
  await shoot(page, 'desk-order')
  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, problem)
  await see(dispatcher.page.getByText('交办单中发现'))
  await leave(dispatcher)
  const handler = await staff(morning, 'handler')
  await openCase(handler.page, problem)
  await act(handler.page, /^(接收|签收)/)
  await act(handler.page, /^办结/, async (sent) => {
    await field(sent, '办理结果').fill('已疏通排水口')
    await sent.locator('input[type=file]').nth(1).setInputFiles(photo('cleared'))
    await gone(sent.locator('progress'))
  })
  await leave(handler)
  const told = await staff(morning, 'grid')
  await openCase(told.page, problem)
  await act(told.page, /^(反馈|答复)/, async (sent) => {
    await sent.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(sent, '内容').fill('排水口已疏通')
  })
  await leave(told)

  await page.reload()
  await page.getByRole('button', { name: '销号', exact: true }).click()
  await field(dialog(page), '说明').fill('汛前排查完成')
  await dialog(page).getByRole('button', { name: '销号' }).click()
  await see(page.getByText(/销号 汛前排查完成/))
  expect(await page.locator('.steps li.full').count()).toBe(5)
  await page.setViewportSize(PHONE)
  await shoot(page, 'desk-order')
  await leave(department)
})
