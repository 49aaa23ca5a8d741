// The live board: every figure leads to the cases behind it, and the counts agree.
import { expect, inject, test } from 'vitest'
import { accessible, see, textOf } from '../kit/check'
import { newId } from '../../src/api/ids'
import { leave, type Person, PHONE, shoot, staff, visitor } from '../kit/people'
import { pointOf, report } from '../kit/portal'

const morning = inject('morning')

/** What a colleague does elsewhere meanwhile. */
async function ask(who: Person, path: string, data: object) {
  const answer = await who.page.request.post(`${morning.url}/api/v1${path}`, { data, headers: { 'x-wangge-client': 'desk' } })
  expect(answer.ok(), await answer.text()).toBe(true)
}

/** Settled at the door by the grid's worker, checked and closed by the centre. */
async function settledAtTheDoor() {
  const worker = await staff(morning, 'grid')
  const id = newId()
  const { latitude, longitude } = await pointOf(morning, '海晏第一网格')
  await ask(worker, '/cases', {
    id, channel: 'patrol', body: '楼道里有人烧纸，已劝止', category_code: '0301', lon: longitude, lat: latitude,
    on_the_spot: { result: '当场劝解', answer_way: 'in_person', answer_body: '已同意不再烧纸' },
  })
  const centre = await staff(morning, 'verifier')
  await ask(centre, `/cases/${id}/actions/verify`, { pass: true })
  await ask(centre, `/cases/${id}/actions/close`, {})
  await leave(worker, centre)
}

/** Clause XM-03, PJ-03 */
test('each figure of the board leads down to its cases, and the counts agree at every level', async () => {
  const resident = await visitor(morning, { size: PHONE })
  for (const body of ['路边井盖破损，车子压过去哐哐响', '小区门口垃圾桶满了没人清运']) await report(resident.page, { body, address: '海晏' })
  await leave(resident)
  // What is over must not count among what is open.
  await settledAtTheDoor()

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

/** Clause MG-03, YC-22 */
test('where matters are resolved, in a period one chooses: each cell of the funnel leads to as many cases', async () => {
  await settledAtTheDoor()

  const supervisor = await staff(morning, 'supervisor')
  const { page } = supervisor
  await page.goto('/desk/board')
  const cells = page.locator('section.all td a')
  await see(cells)
  const counted = Number(await textOf(cells.first()))
  expect(counted).toBeGreaterThan(0)
  await cells.first().click()
  await page.waitForURL('**/desk/cases?**level=*')
  expect(Number(await textOf(page.locator('.sums strong')))).toBe(counted)
  await page.goBack()

  // A period in which nothing was closed: no share, not a share of nothing.
  await page.goto('/desk/board?from=2020-01-01&to=2020-01-31')
  const share = page.locator('.figures li', { has: page.getByRole('heading', { name: '就地解决率' }) })
  await see(share)
  expect(await textOf(share.locator('a.value'))).toContain('—')
  await shoot(page, 'desk-board-period')
  await leave(supervisor)
})
