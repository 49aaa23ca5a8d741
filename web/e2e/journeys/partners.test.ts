// A partner is told of public progress by signed messages: set up by the administrator, refused elsewhere, logged, sent again.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { dialog, field, takeDown } from '../kit/desk'
import { leave, shoot, staff } from '../kit/people'

const morning = inject('morning')
const partner = inject('partner')
/** Progress is told once it has stood for a minute. */
const MOST_MS = 100_000
const PHONE_NUMBER = '13900000077'

interface Message {
  id: string
  at: string
  signature: string
  body: string
}

/** The partner's own system: takes every message. */
async function receiver() {
  const got: Message[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const header = (name: string) => String(request.headers[name] ?? '')
      got.push({ id: header('webhook-id'), at: header('webhook-timestamp'), signature: header('webhook-signature'), body: Buffer.concat(parts).toString() })
      response.writeHead(204).end()
      server.emit('message')
    })
  })
  server.listen(Number(new URL(partner).port), '127.0.0.1')
  await once(server, 'listening')
  return {
    got,
    async until(count: number) {
      while (got.length < count) await once(server, 'message', { signal: AbortSignal.timeout(MOST_MS) })
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** As Standard Webhooks says: `v1,` and the HMAC of id, time and body. */
function signed(secret: string, m: Message): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(`${m.id}.${m.at}.${m.body}`).digest('base64')
  return m.signature.split(' ').includes(`v1,${mac}`)
}

test('a partner hears of public progress by signed messages that are logged and can be sent again', { timeout: 200_000 }, async () => {
  const theirs = await receiver()
  const security = await staff(morning, 'security')
  const { page } = security
  await page.goto('/desk/admin/partners')
  await page.getByRole('button', { name: '新增对接方' }).click()
  const form = dialog(page)
  await field(form, '对接方').fill('望海日报')
  await field(form, '用途').fill('在报上登出公开诉求的进展')
  await field(form, '联系').fill('编辑部 0580-1234567')
  await form.getByRole('button', { name: '保存' }).click()
  await page.getByRole('button', { name: '已交付，关闭' }).click()

  await page.locator('tr', { hasText: '望海日报' }).getByRole('button', { name: '推送' }).click()
  const hooks = dialog(page)
  const address = field(hooks, '推送地址')
  await address.fill('http://169.254.169.254/latest/meta-data')
  await hooks.getByRole('button', { name: '添加' }).click()
  await see(hooks.locator('.field-error, [role=alert]').first())
  expect(await address.inputValue()).toContain('169.254')
  await address.fill(`${partner}/hook`)
  await hooks.getByRole('button', { name: '添加' }).click()
  const secret = await textOf(hooks.locator('code.secret'))
  expect(secret).toMatch(/^whsec_/)

  await hooks.getByRole('button', { name: '试发一条' }).click()
  await theirs.until(1)
  expect(signed(secret, theirs.got[0]!)).toBe(true)
  expect(signed('whsec_AAAA', theirs.got[0]!)).toBe(false)
  await see(hooks.getByText('已送达'))
  await accessible(page, 'webhooks')
  await shoot(page, 'desk-webhooks')

  // The same message once more: the same id, so that the partner can tell.
  await hooks.getByRole('button', { name: '重发' }).click()
  await theirs.until(2)
  expect(theirs.got[1]!.id).toBe(theirs.got[0]!.id)
  expect(signed(secret, theirs.got[1]!)).toBe(true)

  // A report of a public kind: told with its number, without who reported.
  const clerk = await staff(morning, 'clerk')
  const made = await takeDown(clerk.page, { phone: PHONE_NUMBER, name: '钱小满', body: '码头路口的路灯坏了，晚上一片黑', category: '路灯与景观照明' })
  await theirs.until(3)
  const told = theirs.got[2]!
  expect(signed(secret, told)).toBe(true)
  expect(told.body).toContain(made.number)
  expect(told.body).not.toContain(PHONE_NUMBER)
  expect(told.body).not.toContain('钱小满')

  // Stopped: the button is gone, and with it the messages.
  await hooks.getByRole('button', { name: '停用' }).click()
  await see(hooks.getByText(/^已于 .* 停用/))
  await gone(hooks.getByRole('button', { name: '试发一条' }))
  await theirs.close()
  await leave(security, clerk)
})
