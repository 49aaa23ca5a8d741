// Waiting for what should be, without sleeping; and the accessibility check.
import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']

/** Waits until it is on the page. */
export const see = (locator: Locator) => locator.first().waitFor({ state: 'visible' })

/** Waits until it is gone. */
export const gone = (locator: Locator) => locator.first().waitFor({ state: 'hidden' })

/** The text of what is there now. */
export const textOf = async (locator: Locator) => (await locator.first().innerText()).trim()

/** No violation of WCAG 2.2 AA on the page as it is. */
export async function accessible(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).options({ runOnly: { type: 'tag', values: WCAG }, resultTypes: ['violations'] }).analyze()
  const told = violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(' ')).slice(0, 5).join(' | ')})`)
  expect(told, `${what}: accessibility`).toEqual([])
}
