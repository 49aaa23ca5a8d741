// The planner's year: dwellings brought in, grids drawn, compared, locked, painted, spoken about, printed; a plan adopted, open cases follow
// their household, and it is taken back; a department's zones become grids; the three maps of a community on paper.
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { accessible, gone, see } from '../kit/check'
import { choose, dialog, field, openCase } from '../kit/desk'
import { leave, PHONE, shoot, staff } from '../kit/people'
import { startDemo } from '../kit/server'

const MORNING = '2026-03-11T09:30:00+08:00'
const WHOLE_MS = 240_000
const API = '/api/v1'

const get = async <T>(page: Page, path: string) => (await (await page.request.get(API + path)).json()) as T
const post = (page: Page, path: string, data: unknown) => page.request.post(API + path, { data, headers: { 'x-wangge-client': 'desk' } })

interface Unit { id: string; cell: object | null; no: number; area_id: string; lon: number; lat: number; households: number }
interface Grid { no: number; name: string; households: number; kept_area_id: string | null; locked: boolean }

const plansOf = async (page: Page, word: string) => (await get<{ items: { id: string; name: string; area_id: string }[] }>(page, '/plans')).items.find((p) => p.name.includes(word))!

/** Waits until the demo's two plans are drawn, which happens beside everything else. */
const drawn = (page: Page) =>
  expect.poll(async () => (await get<{ items: { phase: string }[] }>(page, '/plans')).items.map((p) => p.phase), { timeout: 60_000 }).toEqual(['ready', 'ready'])

/** A block of 30 houses of 10 households as two tables. */
function block(code: string, lon: number, lat: number) {
  const at = (i: number) => [i % 6, Math.floor(i / 6)]
  const nodes = Array.from({ length: 30 }, (_, i) => `H${i},${(lon + at(i)[0] * 0.0004).toFixed(6)},${(lat + at(i)[1] * 0.0004).toFixed(6)},${code},10`)
  const edges = Array.from({ length: 30 }, (_, i) => [at(i)[0] < 5 && [i, i + 1], i + 6 < 30 && [i, i + 6]]).flat().flatMap((e) => (e ? [`H${e[0]},H${e[1]},20,1,0`] : []))
  const file = (name: string, lines: string[]) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(`${lines.join('\n')}\n`) })
  return { nodes: file('nodes.csv', ['id,lon,lat,region,households', ...nodes]), edges: file('edges.csv', ['u,v,shared_perim,w,barrier', ...edges]) }
}

test('a block is brought in row by row, and grids are drawn on it', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const planner = await staff(running, 'planner')
  const { page } = planner
  await drawn(page)
  await page.goto('/desk/plans')
  await see(page.getByRole('link', { name: /方案甲/ }))
  const top = (await get<{ items: { id: string }[] }>(page, '/areas?parent=root')).items[0].id
  const village = (await get<{ communities: { area_id: string; name: string }[] }>(page, `/dwellings/summary?area=${top}`)).communities.at(-1)!
  const area = await get<{ code: string; lon: number; lat: number; name: string }>(page, `/areas/${village.area_id}`)

  await page.getByRole('button', { name: '导入房屋' }).click()
  await page.getByText('两张表（单元与相邻）').click()
  await page.getByText('WGS-84').click()
  const files = block(area.code, area.lon, area.lat)
  const pick = page.locator('input[type=file]')
  await pick.nth(0).setInputFiles({ ...files.nodes, buffer: Buffer.from(files.nodes.buffer.toString().replace(/,10$/m, ',-3')) })
  await pick.nth(1).setInputFiles(files.edges)
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByRole('alert').filter({ hasText: /第 ?1 ?行.*-3/ }))
  expect(await page.getByRole('button', { name: '导入', exact: true }).isDisabled(), 'a wrong row holds the import back').toBe(true)
  await pick.nth(0).setInputFiles(files.nodes)
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText(/新增 30 处/))
  await accessible(page, 'importing dwellings')
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await see(page.getByText(/新增 30 处.*已全部导入/))

  // Two households are registered in one of the houses: its number becomes theirs, the other houses keep theirs.
  const house = (await get<{ items: { id: string; code: string }[] }>(page, `/dwellings?area=${village.area_id}&limit=200`)).items.find((one) => one.code === 'H0')!
  const centre = await staff(running, 'dispatcher')
  for (const room of ['101', '102']) {
    const home = { id: crypto.randomUUID(), number: '', place: { area_id: village.area_id, dwelling_id: house.id, room } }
    expect((await post(centre.page, '/registry/households', home)).status(), room).toBeLessThan(300)
  }
  await leave(centre)
  await page.getByRole('button', { name: '按登记的户数' }).click()
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText(/1 处房屋有登记，1 处数字不同：现在 10 户，登记 2 户/))
  await accessible(page, 'registered households')
  await shoot(page, 'desk-registered-households')
  await page.getByRole('button', { name: '采用', exact: true }).click()
  await see(page.getByText(/由 10 户变为 2 户/))

  await page.getByRole('button', { name: '新建方案' }).click()
  await field(dialog(page), '名称').fill('三十户一试')
  await choose(page, dialog(page).getByRole('combobox', { name: '覆盖的区域' }), area.name)
  await accessible(page, 'a new plan')
  await dialog(page).getByRole('button', { name: '开始划分' }).click()
  await see(page.getByRole('heading', { name: '三十户一试' }))
  await see(page.getByText('草稿', { exact: true }))
  // Tables bring no ground: the houses get what is nearest to each, coloured by their grid.
  await expect.poll(() => page.locator('.cell[data-grid]').count()).toBe(30)
  expect(await page.locator('path.cell[data-grid]').count(), 'houses with ground').toBeGreaterThan(0)
  await accessible(page, 'a plan on ground of its own')
  await shoot(page, 'desk-plan-ground')
  await leave(planner)
}, WHOLE_MS)

test('two plans are compared, one is locked, painted and adopted; cases follow, and it is taken back', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const planner = await staff(running, 'planner')
  const { page } = planner
  await drawn(page)
  await page.goto('/desk/plans')
  await see(page.getByRole('link', { name: /方案甲/ }))
  for (const box of await page.getByRole('checkbox', { name: /方案[甲乙]/ }).all()) await box.check()
  await accessible(page, 'plans')
  await shoot(page, 'desk-plans')
  await page.getByRole('button', { name: '并排比较（2）' }).click()
  await see(page.getByRole('heading', { name: '方案比较' }))
  await see(page.getByText('较好'))
  await see(page.locator('path.grid'))
  await accessible(page, 'comparing plans')
  await shoot(page, 'desk-plans-compare')

  // One grid is locked, a house at a border painted into the next grid, and taken back.
  await page.getByRole('link', { name: /方案甲/ }).click()
  const plan = await plansOf(page, '方案甲')
  const grids = (await get<{ items: (Grid & { community_id: string; community_name: string })[] }>(page, `/plans/${plan.id}/grids?limit=200`)).items
  const community = grids[0].community_id
  await choose(page, page.getByRole('combobox', { name: '社区' }), grids[0].community_name)
  await see(page.locator('path.cell'))
  await see(page.getByText(/核对：(\d+) 处房屋中 \1 处在且只在一个网格；0 处越过/))
  const here = grids.filter((g) => g.community_id === community)
  await page.getByRole('button', { name: `锁定${here[0].name}` }).click()
  await see(page.getByRole('button', { name: `解锁${here[0].name}` }))
  const stroke = await allowed(page, plan.id, community, here.slice(1))
  await page.getByRole('button', { name: stroke.to.name, exact: true }).click()
  await page.getByRole('button', { name: '涂改', exact: true }).click()
  await page.locator(`path.cell[data-dwelling="${stroke.unit.id}"]`).click()
  await see(page.locator('.judged').getByText(`${stroke.to.name} ${stroke.to.households + stroke.unit.households} 户`))
  const takeBack = page.getByRole('button', { name: '撤销上一笔' })
  await see(takeBack)
  await accessible(page, 'painting')
  await shoot(page, 'desk-plan-paint')
  await takeBack.click()
  await gone(takeBack)
  const locked = here[0].households
  await page.getByRole('button', { name: '最少变动调整' }).click()
  await expect.poll(async () => (await get<{ phase: string }>(page, `/plans/${plan.id}`)).phase, { timeout: 30_000 }).toBe('ready')
  const after = (await get<{ items: Grid[] }>(page, `/plans/${plan.id}/grids?limit=200`)).items.find((g) => g.no === here[0].no)
  expect(after, 'a locked grid stays').toMatchObject({ households: locked, locked: true })
  await field(page, '写意见').or(field(page, '对“')).first().fill('老街两侧不要拆开。')
  await page.getByRole('button', { name: '发表' }).click()
  await see(page.getByText('老街两侧不要拆开。'))
  await page.getByRole('link', { name: '网格分布图' }).click()
  await see(page.getByRole('heading', { name: /网格分布图$/ }))
  await accessible(page, 'the area map')
  await shoot(page, 'desk-plan-sheet')

  // Somebody reports from a house that goes to another grid.
  const moving = (await units(page, plan.id)).find((u) => u.no && here.concat(grids).some((g) => g.no === u.no && g.kept_area_id && g.kept_area_id !== u.area_id))!
  const clerk = await staff(running, 'clerk')
  const answer = await post(clerk.page, '/cases', { id: '0197a3b0-0001-7000-8000-000000000001', channel: 'phone', body: '门口路灯不亮，晚上看不清路', lon: moving.lon, lat: moving.lat })
  const { case: opened } = (await answer.json()) as { case: { number: string } }
  const nameOf = async (id: string) => (await get<{ name: string }>(page, `/areas/${id}`)).name
  const before = await nameOf(moving.area_id)
  const next = await nameOf(grids.find((g) => g.no === moving.no)!.kept_area_id!)
  const dispatcher = await staff(running, 'dispatcher')
  await openCase(dispatcher.page, opened.number)
  await see(dispatcher.page.getByText(before))

  await page.goto(`/desk/plans/${plan.id}/adopt`)
  await page.getByRole('button', { name: '先看影响' }).click()
  await page.getByRole('button', { name: /未办结事件/ }).click()
  await see(page.getByRole('link', { name: new RegExp(opened.number) }))
  await accessible(page, 'adopting')
  await shoot(page, 'desk-plan-adopt')
  await page.getByRole('button', { name: /^自 2026-03-11 起采用/ }).click()
  await see(page.getByText('已生效'))
  await dispatcher.page.reload()
  await see(dispatcher.page.getByText(next))
  await threeMaps(page, community)

  await page.getByRole('button', { name: '撤回会怎样' }).click()
  await page.getByRole('button', { name: '撤回', exact: true }).click()
  await see(page.getByText('已撤回'))
  await accessible(page, 'adoptions')
  await dispatcher.page.reload()
  await see(dispatcher.page.getByText(before))
  for (const person of [planner, clerk, dispatcher]) await leave(person)
}, WHOLE_MS)

/**
 * The maps of a community show the grids of today, each to be printed by itself.
 * Clause MG-11
 */
async function threeMaps(page: Page, community: string) {
  const back = page.url()
  const today = (await get<{ items: { name: string }[] }>(page, `/areas?parent=${community}`)).items
  await page.goto(`/desk/admin/areas?id=${community}`)
  await page.getByRole('link', { name: /三张图/ }).click()
  for (const [map, title] of [['areas', '网格分布图'], ['organisation', '组织架构图'], ['posts', '岗位网络图']]) {
    await page.getByText(title, { exact: true }).first().click()
    await see(page.getByRole('heading', { name: new RegExp(`${title}$`) }))
    if (map !== 'organisation') for (const grid of today) await see(page.locator('td, .box').getByText(grid.name))
    if (map === 'areas') expect(await page.locator('path.grid').count(), 'each grid is drawn').toBe(today.length)
    await accessible(page, title)
    await shoot(page, `desk-maps-${map}`)
    const paper = await page.pdf({ format: 'A4', printBackground: true })
    expect(paper.subarray(0, 5).toString()).toBe('%PDF-')
  }
  await page.goto(back)
}

/**
 * A department's zones over today's grids, made into a plan whose grids they are where they can be.
 * Clause PJ-12
 */
test('police beats are laid over the grids and become a plan', async () => {
  const running = await startDemo(MORNING)
  onTestFinished(running.stop)
  const planner = await staff(running, 'planner')
  const { page } = planner
  await drawn(page)
  const plan = await plansOf(page, '方案甲')
  const grids = (await get<{ items: (Grid & { community_id: string })[] }>(page, `/plans/${plan.id}/grids?limit=200`)).items
  const area = await get<{ id: string; name: string }>(page, `/areas/${plan.area_id}`)
  const shapes = await get<{ features: { properties: { no: number }; geometry: object }[] }>(page, `/plans/${plan.id}/map`)
  const small = (await unitsOf(page, plan.id, grids[0].community_id)).find((u) => u.no === grids[0].no && u.cell)!
  const beats = shapes.features.filter((f) => f.properties.no !== grids[0].no).slice(0, 3)
  const zones = [{ name: '一处小片', geometry: small.cell }, ...beats.map((f, i) => ({ name: `警务${i + 1}区`, geometry: f.geometry }))]
  const features = zones.map(({ name, geometry }) => ({ type: 'Feature', properties: { name, code: name, unit: '望海派出所' }, geometry }))
  await page.goto('/desk/zonings')
  await page.getByRole('button', { name: '导入部门分区' }).click()
  await choose(page, page.getByRole('combobox', { name: '叠加到哪个区域' }), area.name)
  await field(page, '名称').fill('警务责任区')
  await page.getByText('WGS-84').click()
  await page.locator('input[type=file]').setInputFiles({ name: 'beats.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(JSON.stringify({ type: 'FeatureCollection', features })) })
  await page.getByRole('button', { name: '检查（不导入）' }).click()
  await see(page.getByText(/4 个分区；\d+ 户在分区内/))
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await see(page.getByRole('cell', { name: '警务1区' }).first())
  await accessible(page, 'zonings')
  await shoot(page, 'desk-zonings')
  await page.getByRole('button', { name: '据此拟一份方案' }).click()
  await see(page.getByRole('heading', { name: '多网合一·警务责任区' }))
  await see(page.getByText('照用 3 片，没有照用 1 片'))
  await see(page.getByRole('row', { name: /一处小片.*太小/ }))
  await see(page.getByText('草稿', { exact: true }))
  await accessible(page, 'a plan from a zoning')
  await shoot(page, 'desk-plan-zones')
  await page.setViewportSize(PHONE)
  const verdicts = page.getByRole('group', { name: '各分区照用了没有' })
  expect(await verdicts.evaluate((box) => box.scrollWidth <= box.clientWidth), 'no dragging sideways on a phone').toBe(true)
  await shoot(page, 'desk-plan-zones')
  await leave(planner)
}, WHOLE_MS)

const unitsOf = async (page: Page, plan: string, community: string) => (await get<{ items: Unit[] }>(page, `/plans/${plan}/dwellings?community=${community}`)).items

async function units(page: Page, plan: string) {
  const all = (await get<{ items: { community_id: string }[] }>(page, `/plans/${plan}/grids?limit=200`)).items
  return (await Promise.all([...new Set(all.map((g) => g.community_id))].map((c) => unitsOf(page, plan, c)))).flat()
}

/** A house with households and a grid it may be painted into. */
async function allowed(page: Page, plan: string, community: string, grids: Grid[]) {
  for (const unit of (await unitsOf(page, plan, community)).filter((u) => u.households > 0 && grids.some((g) => g.no === u.no)))
    for (const to of grids.filter((g) => g.no !== unit.no)) {
      const judged = (await (await post(page, `/plans/${plan}/paint`, { dwellings: [unit.id], to: to.no, dry: true })).json()) as { allowed?: boolean; grids?: { connected: boolean }[] }
      if (judged.allowed && judged.grids?.every((g) => g.connected)) return { unit, to }
    }
  throw new Error('no house can be painted')
}
