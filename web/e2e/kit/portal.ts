// What residents do on the portal, in the words of its screens.
import type { Page } from 'playwright-core'
import { gone, see, textOf } from './check'
import { field } from './desk'
import type { Site } from './setup'

export interface Saying {
  body: string
  /** Words typed as an address; the first proposal is taken. */
  address?: string
  /** Takes the position of the phone (see `Wishes.at`). */
  here?: boolean
  photo?: { name: string; mimeType: string; buffer: Buffer }
  phone?: string
  name?: string
}

/** Fills the report form without sending it. */
export async function fillReport(page: Page, saying: Saying) {
  await page.goto('/report')
  await field(page, '请说说是什么事').fill(saying.body)
  if (saying.photo) {
    await page.locator('input[type=file]').setInputFiles(saying.photo)
    await see(page.locator('.photo img'))
    await gone(page.locator('.photo progress'))
  }
  if (saying.address) {
    await field(page, '或者写地址').fill(saying.address)
    await page.getByRole('list', { name: '可能是这些地方' }).getByRole('button').first().click()
    await see(page.getByText(/^位置：/))
  }
  if (saying.here) {
    await page.getByRole('button', { name: '用我的位置' }).click()
    await see(page.getByText(/^位置：/))
  }
  if (saying.phone) await field(page, '手机号').fill(saying.phone)
  if (saying.name) await field(page, '怎么称呼您').fill(saying.name)
}

export const send = (page: Page) => page.getByRole('button', { name: '提交' }).click()

/** Number and code as the page after sending shows them. */
export async function ticket(page: Page) {
  await page.waitForURL('**/done')
  const numbers = page.locator('.ticket dd')
  return { number: await textOf(numbers.nth(0)), code: await textOf(numbers.nth(1)) }
}

/** Reports a matter and gives number and code. */
export async function report(page: Page, saying: Saying) {
  await fillReport(page, saying)
  await send(page)
  return ticket(page)
}

/** Follows a matter from an empty form. */
export async function follow(page: Page, number: string, code: string) {
  await page.goto('/follow')
  await field(page, '编号').fill(number)
  await field(page, '查询码').fill(code)
  await page.getByRole('button', { name: '查询' }).click()
}

/** A point of an area, as a phone there would find it. */
export async function pointOf(site: Site, area: string) {
  const { items } = (await (await fetch(`${site.url}/api/v1/areas?q=${encodeURIComponent(area)}`)).json()) as { items: { name: string; lon: number; lat: number }[] }
  const found = items.find((one) => one.name === area)
  if (!found) throw new Error(`no area ${area}`)
  return { longitude: found.lon, latitude: found.lat }
}
