// The public account beside the portal, on a phone: a matter written in the chat is followed on the portal; its result is told in the chat
// without asking, rated there and objected to.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see } from '../kit/check'
import { act, field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { follow } from '../kit/portal'

const morning = inject('morning')

/** Clause LH-23, PJ-11 */
test('a follower writes, hears how it goes on, rates and objects', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  await page.goto('/')
  await page.getByRole('link', { name: /试公众号/ }).click()
  const chat = page.getByRole('log', { name: '和公众号的对话' })
  const say = async (words: string) => {
    await page.getByPlaceholder('写给公众号').fill(words)
    await page.getByRole('button', { name: '发送' }).click()
  }
  await say('海晏第一网格的路灯不亮三天了，晚上黑漆漆的')
  const opened = chat.getByText(/查询码/)
  await see(opened)
  const words = (await opened.textContent()) ?? ''
  const number = /[A-Z]+\d[\dA-Z-]+/.exec(words)?.[0] ?? ''
  const code = /查询码 (\d+)/.exec(words)?.[1] ?? ''
  expect([number, code].every(Boolean), words).toBe(true)
  await page.getByRole('button', { name: '进度' }).click()
  await see(chat.getByText(new RegExp(`^${number}`)))

  const handler = await staff(morning, 'handler')
  await openCase(handler.page, number)
  await see(handler.page.getByText('公众号').first())
  await act(handler.page, /^签收/)
  await act(handler.page, /^办结/, async (form) => {
    await field(form, '办理结果').fill('已换灯泡，恢复照明')
    await form.locator('input[type=file]').nth(0).setInputFiles(photo('lamp-before'))
    await form.locator('input[type=file]').nth(1).setInputFiles(photo('lamp-after'))
    await gone(form.locator('progress'))
  })
  await leave(handler)
  const worker = await staff(morning, 'grid')
  await openCase(worker.page, number)
  await act(worker.page, /^反馈/, async (form) => {
    await form.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(form, '内容').fill('灯换好了，今晚就亮。')
  })
  await leave(worker)

  await see(chat.getByText(/1-5/).last())
  await accessible(page, 'the account')
  await shoot(page, 'portal-account')
  await say('2')
  await see(chat.getByText(/2 分/))
  await say('不满意 晚上又不亮了')
  await see(chat.getByText(/重新办理/).last())

  await follow(page, number, code)
  await see(page.getByText('灯换好了，今晚就亮。'))
  await leave(resident)
})
