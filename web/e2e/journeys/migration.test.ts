// A rule changes: running clocks stay as they are until a proposal with its preview is approved by a second person.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { accessible, gone, see, textOf } from '../kit/check'
import { openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { pointOf, report } from '../kit/portal'
import { startDemo, type Running } from '../kit/server'

const PACK = join(import.meta.dirname, '../../../packs/zhoushan')

/** A report that is on its way, with the limit its page shows. */
async function reported(site: Running) {
  const resident = await visitor(site, { size: PHONE, at: await pointOf(site, '海晏第一网格') })
  const { number } = await report(resident.page, { body: '人行道地砖破损好几块，老人容易绊倒', here: true })
  await leave(resident)
  const dispatcher = await staff(site, 'dispatcher')
  await openCase(dispatcher.page, number)
  await see(dispatcher.page.locator('.strip', { hasText: '道路与人行道破损' }))
  const until = await textOf(dispatcher.page.locator('.strip .num').last())
  await leave(dispatcher)
  return { number, until }
}

test('running clocks move to a new rule only after a preview and a second person', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wangge-migration-'))
  const pack = join(folder, 'pack')
  await cp(PACK, pack, { recursive: true })
  const place = { data: join(folder, 'data'), pack }
  const old = await startDemo('2026-03-11T09:30:00+08:00', place)
  const made = await reported(old).finally(() => old.stop())

  // The pack gives five days where it gave two: what runs does not move by itself.
  const clocks = await readFile(join(pack, 'clocks.toml'), 'utf8')
  const rule = /category = "02"[^\n]*\nstep = "handle"\nurgent = false\nlimit = "2 workdays"/
  expect(clocks).toMatch(rule)
  await writeFile(join(pack, 'clocks.toml'), clocks.replace(rule, (found) => found.replace('2 workdays', '5 workdays')))
  const site = await startDemo('2026-03-11T09:50:00+08:00', place)
  try {
    const system = await staff(site, 'system')
    const { page } = system
    await page.goto('/desk/admin/migrations')
    await page.getByRole('textbox', { name: '理由' }).fill('汛期道路类放宽到五个工作日')
    await page.getByRole('button', { name: '提出并预览' }).click()
    const row = page.locator('tr', { hasText: made.number })
    await see(row.getByText('2个工作日').or(row.getByText('2 个工作日')))
    await see(row.getByText('5个工作日').or(row.getByText('5 个工作日')))
    await see(page.getByText('您提出的，须由另一人批准。'))
    await accessible(page, 'moving clocks')
    await shoot(page, 'desk-migrations')
    expect(await page.getByRole('button', { name: '批准', exact: true }).count()).toBe(0)
    await leave(system)

    const boss = await staff(site, 'supervisor')
    await openCase(boss.page, made.number)
    expect(await textOf(boss.page.locator('.strip .num').last())).toBe(made.until)
    await boss.page.goto('/desk/admin/migrations')
    await boss.page.locator('[data-migration] button.link').first().click()
    await see(boss.page.locator('tr', { hasText: made.number }))
    await boss.page.getByRole('button', { name: '批准', exact: true }).click()
    await see(boss.page.getByRole('alert'))
    await boss.page.getByRole('textbox', { name: '批准或不批准的理由' }).fill('按市里通知执行')
    await boss.page.getByRole('button', { name: '批准', exact: true }).click()
    await see(boss.page.getByText('已改 1 个，0 个在此期间变了、没有动。'))
    await accessible(boss.page, 'a migration done')
    await shoot(boss.page, 'desk-migration-done')
    await boss.page.setViewportSize(PHONE)
    await shoot(boss.page, 'desk-migration-done')
    await openCase(boss.page, made.number)
    await see(boss.page.getByText('时限改按新规则'))
    expect(await textOf(boss.page.locator('.strip .num').last())).not.toBe(made.until)
    await boss.page.keyboard.press('y')
    await see(boss.page.getByText('批准改用新规则').first())
    await gone(boss.page.getByText('正在载入'))
    await leave(boss)
  } finally {
    await site.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
