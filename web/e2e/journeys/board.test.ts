// The live board: every figure leads to the cases behind it, and the counts agree.
import { expect, inject, test } from 'vitest'
import { accessible, see, textOf } from '../kit/check'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { report } from '../kit/portal'

const morning = inject('morning')

/** Clause XM-03, PJ-03 */
test('each figure of the board leads down to its cases, and the counts agree at every level', async () => {
  const resident = await visitor(morning, { size: PHONE })
  for (const body of ['路边井盖破损，车子压过去哐哐响', '小区门口垃圾桶满了没人清运']) await report(resident.page, { body, address: '海晏' })
  await leave(resident)

  const supervisor = await staff(morning, 'supervisor')
  const { page } = supervisor
  await page.goto('/desk/board')
  await see(page.locator('.figures li'))
  await accessible(page, 'board')
  await shoot(page, 'desk-board')
  const figures = page.locator('.figures li', { has: page.locator('a.value') })
  expect(await figures.count()).toBeGreaterThan(1)
  for (let i = 0; i < (await figures.count()); i++) {
    const name = await textOf(figures.nth(i).locator('h2'))
    const whole = await textOf(figures.nth(i))
    const told = /(\d+) \/ (\d+)/.exec(whole)
    const shown = await textOf(figures.nth(i).locator('a.value'))
    // A share of nothing is shown as a dash, and no case lies behind it.
    const counted = told ? Number(told[1]) : Number.parseInt(shown.replace('—', '0'), 10)
    await figures.nth(i).locator('a.value').click()
    await page.waitForURL('**/desk/cases?**')
    const total = await textOf(page.locator('.sums strong'))
    expect([counted, Number(told?.[2] ?? counted)], `${name}: ${whole}`).toContain(Number(total))
    await page.goBack()
    await see(figures)
  }

  // Down the tree: city, town, community, grid; what is open below is never more than above.
  let above = Number.POSITIVE_INFINITY
  for (const area of ['望海门街道', '海晏社区', '海晏第一网格']) {
    const row = page.locator('tr', { has: page.getByRole('button', { name: area, exact: true }) })
    await see(row)
    const open = Number(await textOf(row.locator('td').nth(1)))
    expect(open).toBeLessThanOrEqual(above)
    above = open
    await row.locator('td').nth(1).getByRole('link').click()
    await see(page.locator('.sums strong'))
    expect(Number(await textOf(page.locator('.sums strong')))).toBe(open)
    await page.goBack()
    await page.getByRole('button', { name: area, exact: true }).click()
  }
  await leave(supervisor)
})
