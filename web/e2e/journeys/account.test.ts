// The public account beside the portal, on a phone: a matter written in the chat is followed on the portal; its result is told in the chat
// without asking, rated there and objected to.
import { expect, inject, test } from 'vitest'
import { accessible, see } from '../kit/check'
import { openCase } from '../kit/desk'
import { LAMP_ANSWER, mendLamp } from '../kit/lamp'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
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
  await leave(handler)
  await mendLamp(morning, number)

  await see(chat.getByText(/1-5/).last())
  await accessible(page, 'the account')
  await shoot(page, 'portal-account')
  await say('2')
  await see(chat.getByText(/2 分/))
  await say('不满意 晚上又不亮了')
  await see(chat.getByText(/重新办理/).last())

  await follow(page, number, code)
  await see(page.getByText(LAMP_ANSWER))
  await leave(resident)
})
