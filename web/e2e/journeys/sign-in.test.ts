// The second factor: set up with an authenticator, asked for at the next sign-in, and turned off again.
import { inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { leave, shoot, signIn, visitor } from '../kit/people'
import { PASSWORD } from '../kit/server'
import { sixDigits } from '../kit/totp'

const morning = inject('morning')
const LOGIN = 'liaison'

test('a second factor is set up, asked for, refused when wrong, and turned off', async () => {
  const person = await visitor(morning)
  const { page } = person
  const code = (secret: string, steps = 0) => sixDigits(secret, Date.now() + morning.aheadMs, steps)
  await signIn(page, LOGIN, PASSWORD)
  await page.goto('/desk/me')
  await page.getByRole('button', { name: '开启两步验证' }).click()
  await see(page.getByRole('img', { name: '两步验证二维码' }))
  const secret = await textOf(page.locator('code'))
  await accessible(page, 'second factor')
  await shoot(page, 'desk-totp')
  await page.getByLabel(/^动态验证码/).fill('000000')
  await page.getByRole('button', { name: '确认' }).click()
  await see(page.getByRole('alert'))
  await page.getByLabel(/^动态验证码/).fill(code(secret))
  await page.getByRole('button', { name: '确认' }).click()
  await see(page.getByText('已开启', { exact: true }))
  await leave(person)

  // On another computer the password alone is not enough. A code counts once: the next one is used.
  const again = await visitor(morning)
  await again.page.goto('/desk/login')
  await again.page.locator('input[name=username]').fill(LOGIN)
  await again.page.locator('input[name=password]').fill(PASSWORD)
  await again.page.getByRole('button', { name: '登录' }).click()
  const digits = again.page.locator('input[name=totp]')
  await see(digits)
  await digits.fill('123')
  await again.page.getByRole('button', { name: '登录' }).click()
  await see(again.page.getByRole('alert'))
  await digits.fill(code(secret, 1))
  await again.page.getByRole('button', { name: '登录' }).click()
  await again.page.waitForURL((url) => !url.pathname.endsWith('/login'))
  await again.page.goto('/desk/me')
  const panel = again.page.locator('section', { has: again.page.getByRole('heading', { name: '两步验证' }) })
  await panel.locator('input[type=password]').fill(PASSWORD)
  await panel.getByRole('button', { name: '关闭两步验证' }).click()
  await see(panel.getByText('未开启'))
  await gone(panel.getByText('已开启', { exact: true }))
  await leave(again)
})
