// Signing in: the second factor, set up with an authenticator, asked for at the next sign-in, and turned off again; and a session that ends
// while somebody fills in a form.
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, dialog, field, openCase, takeDown } from '../kit/desk'
import { leave, PHONE, shoot, signIn, staff, visitor, type Person } from '../kit/people'
import { pointOf } from '../kit/portal'
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

/** On another page of the same browser somebody signs out. */
async function endElsewhere({ context }: Person, home: string) {
  const other = await context.newPage()
  await other.goto(home)
  const status = await other.evaluate(async () => (await fetch('/api/v1/session', { method: 'DELETE', headers: { 'X-Wangge-Client': 'desk' } })).status)
  expect(status).toBeLessThan(300)
  await other.close()
}

const again = (page: Page) => page.getByRole('dialog', { name: '请重新登录' })

async function signInAgain(page: Page) {
  await again(page).locator('input[type=password]').fill(PASSWORD)
  await again(page).getByRole('button', { name: '登录，接着办' }).click()
  await gone(again(page))
}

test('a session that ends in the middle of a form costs nothing that was typed', async () => {
  const clerk = await staff(morning, 'clerk')
  const made = await takeDown(clerk.page, { channel: '窗口', body: '海晏公园门口的路灯罩裂了，要换新的', category: '路灯与景观照明' })
  await leave(clerk)
  const person = await visitor(morning)
  const { page } = person
  await signIn(page, 'handler', PASSWORD)
  await openCase(page, made.number)
  await act(page, /^签收/)
  const here = page.url()
  await page.getByRole('group', { name: '可以做的操作' }).getByRole('button', { name: /协办/ }).click()
  const form = dialog(page)
  const part = field(form, '负责哪一部分')
  await part.fill('灯罩由仓库调拨，明早送到')
  await endElsewhere(person, '/desk/me')

  // What the page asks for by itself is refused: the form stays, the sign-in lies over it.
  await form.getByRole('combobox', { name: '单位' }).click({ force: true })
  await see(again(page))
  await accessible(page, 'signing in again')
  await shoot(page, 'desk-again')
  await again(page).locator('input[type=password]').fill('not the password')
  await again(page).getByRole('button', { name: '登录，接着办' }).click()
  await see(again(page).getByRole('alert'))
  for (const _ of [1, 2]) await page.keyboard.press('Escape')
  await see(again(page))
  await signInAgain(page)
  expect(page.url()).toBe(here)
  expect(await part.inputValue()).toBe('灯罩由仓库调拨，明早送到')
  await choose(page, form.getByRole('combobox', { name: '单位' }), '住房和城乡建设局')

  // It ends once more: what was sent is sent when the same person is back. The page, in front again, asks by itself what is stale, so that
  // the sign-in may already lie over the form: the click goes to the button itself and need not be first.
  await endElsewhere(person, '/desk/me')
  await form.locator('footer .el-button').last().dispatchEvent('click')
  await see(again(page))
  await signInAgain(page)
  await gone(page.locator('.el-dialog:visible'))
  await see(page.getByText('灯罩由仓库调拨，明早送到'))

  // Whoever leaves instead is asked to sign in, and comes back to the same page.
  await endElsewhere(person, '/desk/me')
  await page.locator('#search').fill(made.number)
  await page.locator('#search').press('Enter')
  await again(page).getByRole('button', { name: '退出到登录页' }).click()
  await page.waitForURL('**/desk/login**')
  await leave(person)
})

test('the same on the phone of a grid worker', async () => {
  const worker = await visitor(morning, { size: PHONE, at: await pointOf(morning, '海晏第一网格') })
  const { page } = worker
  await signIn(page, 'grid', PASSWORD)
  await page.goto('/field/new')
  await see(page.getByText(/^位置 .*海晏第一网格/))
  await page.getByRole('button', { name: '市容市政与园林绿化' }).click()
  await field(page, '简单说一句').fill('绿化带的喷头坏了，水流到路上')
  await endElsewhere(worker, '/field/me')
  await page.getByRole('button', { name: '上报', exact: true }).click()
  await see(again(page))
  await accessible(page, 'signing in again on the phone')
  await shoot(page, 'field-again')
  expect(await field(page, '简单说一句').inputValue()).toBe('绿化带的喷头坏了，水流到路上')
  await signInAgain(page)
  await see(page.getByRole('heading', { name: '已上报' }))
  await leave(worker)
})
