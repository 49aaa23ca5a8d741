// A long list leaves the system only with a reason and a second person, and the file says who took it.
import { text } from 'node:stream/consumers'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see } from '../kit/check'
import { dialog, field } from '../kit/desk'
import { leave, shoot, staff } from '../kit/people'

const festival = inject('festival')
/** One more than the pack lets one person take alone. */
const ROWS = 501

test('a list above the limit waits for a second person, who is never the one who asked', async () => {
  const dispatcher = await staff(festival, 'dispatcher')
  const { page } = dispatcher
  const rows = Array.from({ length: ROWS }, (_, i) => `第${i + 1}盏路灯不亮,海晏第二网格`)
  await page.goto('/desk/import')
  await page.locator('input[type=file]').setInputFiles({ name: 'lamps.csv', mimeType: 'text/csv', buffer: Buffer.from(['诉求内容,区域', ...rows].join('\n')) })
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText(`共 ${ROWS} 行，可用 ${ROWS} 行，问题 0 处。`))
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await page.getByText('已全部导入。').waitFor({ timeout: 60_000 })

  await page.goto('/desk/cases?queue=all')
  await see(page.locator('tr[data-case]'))
  await page.getByRole('button', { name: '导出' }).click()
  await dialog(page).getByRole('button', { name: 'CSV' }).click()
  await see(dialog(page).getByRole('alert'))
  await field(dialog(page), '导出理由').fill('春节前路灯排查，核对点位')
  await dialog(page).getByRole('button', { name: 'CSV' }).click()
  await dialog(page).getByRole('button', { name: '申请批准' }).click()
  await see(dialog(page).getByText('等待另一人批准'))
  await accessible(page, 'asking for an export')
  await shoot(page, 'desk-export')
  await dialog(page).getByRole('link', { name: '导出与审批' }).click()
  await see(page.locator('tr', { hasText: '春节前路灯排查' }).getByText('待批准'))
  expect(await page.getByRole('button', { name: '批准', exact: true }).count()).toBe(0)

  const supervisor = await staff(festival, 'supervisor')
  await supervisor.page.goto('/desk/exports')
  const asked = supervisor.page.locator('tr', { hasText: '春节前路灯排查' })
  await see(asked)
  await accessible(supervisor.page, 'exports')
  await shoot(supervisor.page, 'desk-exports')
  await asked.getByRole('button', { name: '批准', exact: true }).click()
  await gone(asked.getByText('待批准'))
  expect(await asked.getByRole('button', { name: '下载' }).count()).toBe(0)
  await leave(supervisor)

  await page.reload()
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('tr', { hasText: '春节前路灯排查' }).getByRole('button', { name: '下载' }).click()])
  const content = await text(await file.createReadStream())
  expect(content).toContain('导出人 ')
  expect(content).toContain('同意人 ')
  expect(content.match(/盏路灯不亮/g)?.length).toBeGreaterThanOrEqual(ROWS)
  await leave(dispatcher)
})
