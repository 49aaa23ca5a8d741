// What residents do after reporting: add, withdraw, rate, and write to those who serve their own area.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { field, openCase, takeDown } from '../kit/desk'
import { LAMP_ANSWER, mendLamp } from '../kit/lamp'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { follow, report, ticket } from '../kit/portal'

const morning = inject('morning')

test('plain words are enough: no kind chosen, and the matter is with the body responsible at once', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  const made = await report(page, { body: '海晏第一网格的路灯不亮三天了，晚上黑漆漆的', address: '海晏第一网格', phone: '13900004440' })
  await follow(page, made.number, made.code)
  await see(page.locator('.now').getByText(/综合行政执法/))
  await see(page.locator('.now').getByText('办到什么时候'))
  await accessible(page, 'accepted by content')
  await shoot(page, 'portal-plain-words')
  const handler = await staff(morning, 'handler')
  await openCase(handler.page, made.number)
  await see(handler.page.locator('.strip').getByText('路灯与景观照明'))
  await leave(resident, handler)
})

test('a resident adds to a report, and takes another one back', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  const made = await report(page, { body: '楼道灯坏了一个星期', address: '海晏', phone: '13900004441' })
  await follow(page, made.number, made.code)
  await page.getByRole('button', { name: '补充说明' }).click()
  await field(page, '补充的内容').fill('是三单元，二楼到三楼那一段')
  await page.locator('#act-add input[type=file]').setInputFiles(photo('stairs'))
  await see(page.locator('.photo img'))
  await gone(page.locator('.photo progress'))
  await page.locator('#act-add').getByRole('button', { name: '提交' }).click()
  await see(page.getByText('已经补充上去了。'))
  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await see(dispatcher.page.getByText('是三单元，二楼到三楼那一段').first())
  await leave(dispatcher)

  await page.getByRole('button', { name: '撤回' }).click()
  await page.getByRole('button', { name: '先不撤回' }).click()
  await page.getByRole('button', { name: '撤回' }).click()
  await page.getByRole('button', { name: '确定撤回' }).click()
  await see(page.getByText('已经撤回。'))
  await see(page.locator('.now', { hasText: '已撤回' }))
  await accessible(page, 'withdrawn')
  await leave(resident)
})

test('a resident rates what was answered, once the words are there', async () => {
  const clerk = await staff(morning, 'clerk')
  const told = await takeDown(clerk.page, { phone: '13900004442', body: '海晏菜场门口的路灯一闪一闪，晚上看不清', category: '路灯与景观照明' })
  await leave(clerk)
  await mendLamp(morning, told.number)

  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  await follow(page, told.number, told.code)
  await see(page.getByText(LAMP_ANSWER))
  await page.getByRole('button', { name: '评价', exact: true }).click()
  await page.getByRole('button', { name: '提交评价' }).click()
  await see(page.getByText('请选几颗星'))
  await page.locator('.star').nth(3).click()
  await field(page, '还想说的').fill('修得很快')
  await accessible(page, 'rating')
  await shoot(page, 'portal-rating')
  await page.getByRole('button', { name: '提交评价' }).click()
  await see(page.getByText('谢谢您的评价。'))
  const verifier = await staff(morning, 'verifier')
  await openCase(verifier.page, told.number)
  await see(verifier.page.getByText('满意', { exact: true }).first())
  await see(verifier.page.getByText('修得很快').first())
  await leave(resident, verifier)
})

test('a letter to the mailbox of an area is numbered, reaches those who serve it, and is followed like any matter', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  await page.goto('/mailbox')
  for (const [i, name] of ['望海门街道', '海晏社区'].entries()) {
    await see(page.locator('select').nth(i + 1))
    await page.locator('select').nth(i + 1).selectOption({ label: name })
  }
  await field(page, '信的内容').fill('希望社区的图书室周末也开门')
  await field(page, '手机号').fill('13900004443')
  await accessible(page, 'mailbox')
  await shoot(page, 'portal-mailbox')
  await page.getByRole('button', { name: '寄出' }).click()
  const made = await ticket(page)
  await follow(page, made.number, made.code)
  await see(page.getByText('希望社区的图书室周末也开门'))

  const liaison = await staff(morning, 'liaison')
  await openCase(liaison.page, made.number)
  await see(liaison.page.getByText('希望社区的图书室周末也开门').first())
  expect(await textOf(liaison.page.locator('.strip'))).toContain('海晏社区')
  await leave(resident, liaison)
})
