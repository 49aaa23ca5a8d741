// Wrong and hostile input at every form: a clear sentence, nothing typed is lost, nothing typed ever runs.
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { gone, see, textOf } from '../kit/check'
import { act, dialog, field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor, type Person } from '../kit/people'
import { follow, report, send, ticket } from '../kit/portal'

const morning = inject('morning')

/** Every kind of text that has broken a form somewhere. It sets `window.ran` if any of it is ever executed. */
const HOSTILE =
  `路灯坏了"><script>window.ran=1</script><img src=x onerror="window.ran=1"><svg onload=window.ran=1> ' OR 1=1;-- {{constructor.constructor('window.ran=1')()}} ` +
  `\${7*7} %00 \\u202e \u202eabc 👨‍👩‍👧 =HYPERLINK("http://evil")`
const LONG = '长'.repeat(10_000)

/** Nothing of what was typed became part of the page's program. */
async function nothingRan(person: Person) {
  expect(await person.page.evaluate(() => (window as unknown as { ran?: number }).ran)).toBeUndefined()
  expect(await person.page.locator('img[src="x"], main script').count()).toBe(0)
}

/** A sentence somebody can act on: words, no codes, no program's English. */
async function clearSentence(page: Page, where = page.getByRole('alert')) {
  await see(where)
  const said = await textOf(where)
  expect(said).toMatch(/[\u4e00-\u9fff]{4,}/)
  expect(said).not.toMatch(/undefined|null|Error|[a-z]+_[a-z]+|\{/)
  return said
}

test('the report form: refusals in words, nothing lost over refusal, cut and reload, sent once', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  await page.goto('/report')
  const body = field(page, '请说说是什么事')
  await send(page)
  expect(await clearSentence(page)).toContain('什么事')

  await body.fill(LONG)
  await field(page, '手机号').fill('12')
  await send(page)
  await clearSentence(page)
  expect((await body.inputValue()).length).toBe(LONG.length)

  await body.fill(HOSTILE)
  await send(page)
  await clearSentence(page)
  await shoot(page, 'portal-refused')
  expect(await body.inputValue()).toBe(HOSTILE)
  expect(await field(page, '手机号').inputValue()).toBe('12')

  // The line breaks before the request arrives.
  await field(page, '手机号').fill('13900007777')
  await resident.context.setOffline(true)
  await send(page)
  await see(page.getByText('填写的内容没有丢失').or(page.getByText('已经填写的内容会保留')))
  expect(await body.inputValue()).toBe(HOSTILE)
  await shoot(page, 'portal-offline')
  await resident.context.setOffline(false)
  await page.reload()
  expect(await body.inputValue()).toBe(HOSTILE)

  // It breaks after the request arrived and before the answer: sent again, the same report, not a second one.
  await page.route('**/portal/reports', async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  }, { times: 1 })
  await send(page)
  await see(page.locator('[data-problem]'))
  await send(page)
  const made = await ticket(page)
  await nothingRan(resident)

  await follow(page, made.number, made.code)
  await see(page.locator('.keep-lines', { hasText: '<script>' }))
  expect(await textOf(page.locator('.keep-lines', { hasText: '<script>' }))).toContain("OR 1=1")
  await nothingRan(resident)

  // What a member of staff sees of it is text too: in the queue, on the case page, in the history.
  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await see(dispatcher.page.locator('.said', { hasText: '<script>' }))
  await nothingRan(dispatcher)
  await dispatcher.page.goto('/desk/cases?queue=all&q=1%3D1')
  await see(dispatcher.page.locator('tr[data-case]', { hasText: made.number }))
  expect(await dispatcher.page.locator('tr[data-case]', { hasText: '<script>' }).count()).toBe(1)
  await nothingRan(dispatcher)
  await leave(resident, dispatcher)
})

test('following, objecting and adding: wrong number, wrong code, hostile words', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  const made = await report(page, { body: '公园的健身器材松动了', address: '海晏' })
  await page.goto('/follow')
  await page.getByRole('button', { name: '查询' }).click()
  await clearSentence(page)
  const answers = []
  for (const [number, code] of [[made.number, '000000'], ['WH20200101-00001', made.code], [HOSTILE, HOSTILE]]) {
    await field(page, '编号').fill(number)
    await field(page, '查询码').fill(code)
    await page.getByRole('button', { name: '查询' }).click()
    answers.push(await clearSentence(page))
    expect(await field(page, '编号').inputValue()).not.toBe('')
  }
  // A wrong code says no more than a number that does not exist.
  expect(answers[1]).toBe(answers[0])
  await follow(page, made.number, made.code)
  await page.getByRole('button', { name: '补充说明' }).click()
  await page.getByRole('button', { name: '提交' }).click()
  await clearSentence(page)
  await field(page, '补充的内容').fill(HOSTILE)
  await resident.context.setOffline(true)
  await page.getByRole('button', { name: '提交' }).click()
  await clearSentence(page)
  expect(await field(page, '补充的内容').inputValue()).toBe(HOSTILE)
  await resident.context.setOffline(false)
  await page.getByRole('button', { name: '提交' }).click()
  await see(page.getByText('已经补充上去了。'))
  await nothingRan(resident)
  await leave(resident)
})

test('mailbox, badge check and receipt: nothing hostile gets further than a sentence', async () => {
  const resident = await visitor(morning, { size: PHONE })
  const { page } = resident
  await page.goto('/mailbox')
  await field(page, '信的内容').fill(HOSTILE)
  await page.getByRole('button', { name: '寄出' }).click()
  await clearSentence(page)
  expect(await field(page, '信的内容').inputValue()).toBe(HOSTILE)

  await page.goto('/badge')
  await page.getByRole('button', { name: '核对' }).click()
  await clearSentence(page)
  await field(page, '工号').fill('<img src=x onerror=window.ran=1>')
  await page.getByRole('button', { name: '核对' }).click()
  await see(page.getByRole('heading', { name: '没有这个工号' }))
  await nothingRan(resident)

  await page.goto('/receipt')
  const paste = page.getByLabel('或者把回执内容粘贴在这里')
  for (const text of ['', HOSTILE, '{"version":1}', `{"a":${'['.repeat(5000)}`]) {
    await paste.fill(text)
    await page.getByRole('button', { name: '核验' }).click()
    await clearSentence(page)
  }
  await nothingRan(resident)
  await leave(resident)
})

test('the sign-in says what is wrong and not whether the account exists', async () => {
  const nobody = await visitor(morning)
  const { page } = nobody
  await page.goto('/desk/login')
  const answers = []
  for (const login of ['dispatcher', 'nobody-here', HOSTILE]) {
    await page.locator('input[name=username]').fill(login)
    await page.locator('input[name=password]').fill('wrong-password')
    await page.getByRole('button', { name: '登录' }).click()
    answers.push(await clearSentence(page))
    expect(await page.locator('input[name=username]').inputValue()).toBe(login)
  }
  expect(new Set(answers).size).toBe(1)
  await nothingRan(nobody)
  await leave(nobody)
})

test('the desk: intake, actions and import keep what was typed and refuse in words', async () => {
  const clerk = await staff(morning, 'clerk')
  const { page } = clerk
  await page.goto('/desk/intake')
  const body = field(page, '说了什么')
  await body.fill(HOSTILE)
  await page.locator('#caller-phone').fill('abc<script>')
  await page.keyboard.press('Control+Enter')
  await clearSentence(page)
  expect(await body.inputValue()).toBe(HOSTILE)
  await page.locator('#caller-phone').fill('13900008888')
  await body.fill(LONG)
  await page.keyboard.press('Control+Enter')
  await clearSentence(page)
  expect((await body.inputValue()).length).toBe(LONG.length)
  await body.fill(HOSTILE)
  await clerk.context.setOffline(true)
  await page.keyboard.press('Control+Enter')
  await see(page.locator('form [role=alert]', { hasText: '没有丢失' }))
  await clerk.context.setOffline(false)
  await page.reload()
  expect(await body.inputValue()).toBe(HOSTILE)
  await field(page, '地址').fill('海晏')
  await page.getByRole('listbox').getByRole('option').first().click()
  await page.getByRole('button', { name: /^保存/ }).click()
  const number = /编号 (\S+?)，/.exec(await textOf(page.locator('.read')))?.[1] ?? ''
  await nothingRan(clerk)
  await leave(clerk)

  const dispatcher = await staff(morning, 'dispatcher')
  await openCase(dispatcher.page, number)
  await dispatcher.page.getByRole('group', { name: '可以做的操作' }).getByRole('button', { name: /^备注/ }).click()
  const words = field(dialog(dispatcher.page), '内容')
  await words.fill(HOSTILE)
  await dispatcher.context.setOffline(true)
  await dialog(dispatcher.page).locator('footer .el-button').last().click()
  await see(dialog(dispatcher.page).getByRole('alert'))
  expect(await words.inputValue()).toBe(HOSTILE)
  await dispatcher.context.setOffline(false)
  await dispatcher.page.reload()
  await act(dispatcher.page, /^备注/, async (form) => {
    expect(await field(form, '内容').inputValue()).toBe(HOSTILE)
  })
  await nothingRan(dispatcher)

  await dispatcher.page.goto('/desk/import')
  await dispatcher.page.locator('input[type=file]').setInputFiles({ name: 'bad.csv', mimeType: 'text/csv', buffer: Buffer.from(`诉求内容,受理时间\n"${HOSTILE.replaceAll('"', '""')}",<script>window.ran=1</script>\n`) })
  await dispatcher.page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(dispatcher.page.getByText('没有改动任何数据。'))
  expect(await dispatcher.page.getByRole('button', { name: '导入', exact: true }).isDisabled()).toBe(true)
  await shoot(dispatcher.page, 'desk-import')
  await gone(dispatcher.page.getByText('已全部导入'))
  await nothingRan(dispatcher)
  await leave(dispatcher)
})
