// What staff do at the desk, said in the words of the screens.
import type { Locator, Page } from 'playwright-core'
import { gone, see } from './check'

/** The dialog that is open. */
export const dialog = (page: Page) => page.locator('.el-dialog:visible').last()

/** Chooses in a list that opens under a field, typing `words` to find it. */
export async function choose(page: Page, field: Locator, words: string, option: string | RegExp = words) {
  // The placeholder lies over the input and takes the click on to the same control.
  await field.click({ force: true })
  if ((await field.getAttribute('readonly')) === null) await field.pressSequentially(words)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: option }).first().click()
}

/** Fills a date and time field. */
export async function fillTime(field: Locator, value: string) {
  await field.fill(value)
  await field.press('Enter')
}

/** An element of a form by its visible label (labels carry marks for required and optional). */
export const field = (within: Page | Locator, label: string) => within.getByLabel(new RegExp(`^${label}`)).first()

const actions = (page: Page) => page.getByRole('group', { name: '可以做的操作' })

/** Whether the case page offers an action now. */
export const offers = (page: Page, action: RegExp) => actions(page).getByRole('button', { name: action }).isVisible()

/** Presses an action of the case page, fills its form if it has one, and waits until the server has taken it. */
export async function act(page: Page, action: RegExp, fill?: (form: Locator) => Promise<void>) {
  await actions(page).getByRole('button', { name: action }).click()
  if (fill) {
    const form = dialog(page)
    await see(form)
    await fill(form)
    await form.locator('footer .el-button').last().click()
    await gone(page.locator('.el-dialog:visible'))
  }
  await taken(page)
}

/** Waits for the word that the server has taken it, and clears it away for the next. */
async function taken(page: Page) {
  const told = page.locator('.el-message--success').last()
  await see(told)
  await told.evaluate((el) => el.remove())
}

/** Looks at a case the rules were not sure of: with the proposed category taken, it goes where the rules say. One of that category already
 * went there by itself. */
export async function dispatchByRule(page: Page, category: string) {
  const proposed = page.getByRole('button', { name: category })
  await see(proposed)
  if (!(await proposed.isEnabled())) return
  await proposed.click()
  await taken(page)
  if (await offers(page, /^受理/)) await act(page, /^受理/)
}

/** Opens a case by its number through the search of the top bar. */
export async function openCase(page: Page, number: string) {
  await page.goto(`/desk/cases?queue=all&q=${encodeURIComponent(number)}`)
  await page.locator('tr[data-case]', { hasText: number }).getByRole('link').first().click()
  await see(page.locator('header.top', { hasText: number }).last())
}

export interface Told {
  body: string
  /** A kind from the list; left out, the rules decide. */
  category?: string
  channel?: string
  phone?: string
  name?: string
}

/** Takes a matter down for somebody at the desk; gives number and code as they are read out. */
export async function takeDown(page: Page, told: Told) {
  await page.goto('/desk/intake')
  // The label of a channel takes the click on to the control under it.
  if (told.channel) await page.locator('.channel').getByText(told.channel, { exact: true }).click()
  if (told.phone) await page.locator('#caller-phone').fill(told.phone)
  if (told.name) await field(page, '姓名').fill(told.name)
  await field(page, '说了什么').fill(told.body)
  await field(page, '地址').fill('海晏第一网格')
  await page.getByRole('listbox').getByRole('option').first().click()
  if (told.category) await choose(page, page.getByRole('combobox', { name: '不选则自动分类' }), told.category)
  await page.getByRole('button', { name: /^保存/ }).click()
  const read = await page.locator('.read').innerText()
  const [, number, code] = /编号 (\S+?)，查询码 (\S+?)。/.exec(read) ?? []
  return { number, code }
}
