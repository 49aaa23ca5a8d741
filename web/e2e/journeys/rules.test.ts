// Those who keep the rules: a pack checked line by line before it is used, a calendar shown before it is taken in, an area renamed.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { accessible, gone, see } from '../kit/check'
import { dialog, field } from '../kit/desk'
import { leave, shoot, staff } from '../kit/people'

const morning = inject('morning')
const PACK = join(import.meta.dirname, '../../../packs/zhoushan')

test('a pack is checked before it is used: each problem by file and line, nothing put in force', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wangge-pack-'))
  await cp(PACK, folder, { recursive: true })
  const system = await staff(morning, 'system')
  const { page } = system
  await page.goto('/desk/admin/pack')
  const pick = page.locator('input[type=file]')
  await pick.setInputFiles(folder)
  await see(page.getByText(/检查了 \d+ 个文件，没有发现问题/))
  const routes = join(folder, 'routes.toml')
  await writeFile(routes, `${await readFile(routes, 'utf8')}\nno_such_key = "x"\n`)
  await pick.setInputFiles(folder)
  await see(page.getByText(/发现 \d+ 处问题/))
  const row = page.locator('tr', { hasText: 'routes.toml' }).first()
  expect(await row.innerText()).toMatch(/routes\.toml\s+\d+\s+.*no_such_key/)
  await accessible(page, 'pack with problems')
  await shoot(page, 'desk-pack-check')
  await rm(folder, { recursive: true, force: true })

  // The calendar of a later year: shown first, then taken in.
  const year = (text: string) => ({ name: 'cn-2027.toml', mimeType: 'text/plain', buffer: Buffer.from(text) })
  await page.goto('/desk/admin/calendar')
  await page.locator('input[type=file]').setInputFiles(year('year = 2027\n[days'))
  await see(page.getByRole('alert').getByText('没有做任何改动'))
  const head = 'year = 2027\nnotice = "试"\nissued = 2026-11-01\nsource = "试"\n[days]\n'
  await page.locator('input[type=file]').setInputFiles(year(`${head}2027-01-01 = { rest = "元旦" }\n2027-01-02 = { work = "元旦" }\n`))
  await see(page.getByText('这是 2027 年的日历：放假 1 天，调休上班 1 天。还没有改动任何数据。'))
  await shoot(page, 'desk-calendar-tried')
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await see(page.getByText('已导入 2027 年'))
  await see(page.locator('.day.makeup'))
  await leave(system)
})

test('an area is renamed, and the tree and map say the new name', async () => {
  const planner = await staff(morning, 'planner')
  const { page } = planner
  await page.goto('/desk/admin/areas')
  await page.locator('.el-tree-node__expand-icon').first().click()
  await page.locator('.el-tree').getByText('青礁镇').click()
  await see(page.getByRole('heading', { name: '青礁镇' }))
  await page.getByRole('button', { name: '修改', exact: true }).click()
  const name = field(dialog(page), '名称')
  await name.fill('长'.repeat(61))
  await see(dialog(page).getByText('太长了：最多 60 个字，请再删去 1 个字。您写的都还在。'))
  await name.fill('')
  await dialog(page).getByRole('button', { name: '保存' }).click()
  await see(dialog(page).getByRole('alert'))
  await name.fill('青礁新镇')
  await accessible(page, 'changing an area')
  await shoot(page, 'desk-area-edit')
  await dialog(page).getByRole('button', { name: '保存' }).click()
  await gone(page.locator('.el-dialog:visible'))
  await see(page.getByRole('heading', { name: '青礁新镇' }))
  await page.locator('.el-tree-node__expand-icon').first().click()
  await see(page.locator('.el-tree').getByText('青礁新镇'))
  await leave(planner)
})
