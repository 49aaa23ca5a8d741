// Taking a matter by telephone, on the keyboard alone, while the caller waits; and the caller's other open matters.
import { expect, inject, test } from 'vitest'
import { accessible, see, textOf } from '../kit/check'
import { leave, shoot, staff } from '../kit/people'
import type { Page } from 'playwright-core'

const morning = inject('morning')
const CALLER = '13800004321'
const MINUTE_MS = 60_000

/** One call from the first ring to the number read out, without touching the mouse. */
async function takeCall(page: Page, body: string) {
  const keyboard = page.keyboard
  await see(page.locator('#caller-phone:focus'))
  await keyboard.type(CALLER)
  await keyboard.press('Enter')
  await see(page.getByRole('heading', { name: '此人的其他未结事件' }))
  await tabTo(page, '说了什么')
  await keyboard.type(body)
  await see(page.getByText('依据'))
  await keyboard.press('Alt+1')
  await keyboard.press('Tab')
  await keyboard.type('海晏')
  await see(page.getByRole('listbox').getByRole('option'))
  await keyboard.press('ArrowDown')
  await keyboard.press('Enter')
  await keyboard.press('Control+Enter')
  await see(page.getByText(/请告诉对方：编号/))
  return /编号 (\S+?)，/.exec(await textOf(page.locator('.read')))?.[1] ?? ''
}

/** Presses Tab until the field with this label has the focus. */
async function tabTo(page: Page, label: string) {
  const MOST = 20
  for (let i = 0; i < MOST; i++) {
    await page.keyboard.press('Tab')
    const name = await page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.labels?.[0]?.textContent ?? '')
    if (name.trim().startsWith(label)) return
  }
  throw new Error(`no field "${label}" within ${MOST} tabs`)
}

test('a call is taken by keyboard in under a minute, with what the caller already has open', async () => {
  const clerk = await staff(morning, 'clerk')
  const { page } = clerk
  await page.goto('/desk/intake')
  const begun = Date.now()
  const first = await takeCall(page, '楼下烧烤摊占道经营，油烟很大，每天闹到半夜')
  expect(Date.now() - begun).toBeLessThan(MINUTE_MS)
  expect(first).toMatch(/^WH\d{8}-\d+$/)
  await shoot(page, 'desk-intake-saved')

  // The button for the next call already has the focus.
  await page.keyboard.press('Enter')
  await see(page.locator('#caller-phone:focus'))
  await page.keyboard.type(CALLER)
  await page.keyboard.press('Enter')
  await see(page.locator('aside').getByText(first))
  await accessible(page, 'intake')
  await shoot(page, 'desk-intake')
  await leave(clerk)
})
