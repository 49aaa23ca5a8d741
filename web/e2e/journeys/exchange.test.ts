// Two platforms: administrators agree by comparing fingerprints, a case goes up with its photo, is asked about, answered, and goes there again
// when the resident objects; another comes down and goes back with a reason; in the end both count the same.
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Page } from 'playwright-core'
import { accessible, gone, see, textOf } from '../kit/check'
import { act, choose, dialog, dispatchByRule, field, openCase, takeDown } from '../kit/desk'
import { leave, PHONE, shoot, staff, visitor } from '../kit/people'
import { photo } from '../kit/photo'
import { pointOf, report } from '../kit/portal'
import { startDemo, type Running } from '../kit/server'
import type { Site } from '../kit/setup'

const town = inject('morning')
let city: Running

beforeAll(async () => {
  const now = new Date(Date.now() + town.aheadMs).toISOString()
  city = await startDemo(now, { listen: inject('neighbour'), env: { WANGGE_WEBHOOK_TARGETS: town.url } })
})
afterAll(() => city?.stop())

/** How long a page may take to show what came. */
const NEWS_MS = 7_000

/** What an administrator hands to the other one: the introduction and, by phone, the fingerprint. */
async function introduced(site: Site) {
  const admin = await staff(site, 'security')
  await admin.page.goto('/desk/admin/peers')
  const own = { text: await textOf(admin.page.locator('[data-introduction]')), fingerprint: await textOf(admin.page.locator('[data-own]')) }
  return { admin, own }
}

async function agree(page: Page, other: { text: string; fingerprint: string }, name: string, relation: string) {
  await page.getByRole('button', { name: '新增对接平台' }).click()
  const form = dialog(page)
  await field(form, '对方的介绍信').fill(other.text)
  await field(form, '名称').fill(name)
  await form.getByText(relation, { exact: true }).click()
  await field(form, '用途').fill('办理越出本级职责的诉求')
  await field(form, '联系人').fill('值班室 0580-1234567')
  await form.getByRole('button', { name: '保存' }).click()
  await gone(form)
  const row = page.locator(`[data-peer="${name}"]`)
  await row.getByRole('button', { name: '核对指纹' }).click()
  await field(dialog(page), '指纹').fill(other.fingerprint)
  await dialog(page).getByRole('button', { name: '核对指纹' }).click()
  await gone(page.locator('.el-dialog:visible'))
  await see(row.locator('.tag.ok'))
}

/** What the other platform says comes by itself in a few seconds; looked at again in case the page missed the news. */
async function comes(page: Page, text: string | RegExp) {
  for (let tries = 0; ; tries++) {
    const found = page.getByText(text).first()
    if (await found.waitFor({ state: 'visible', timeout: NEWS_MS }).then(() => true, () => false)) return
    if (tries === 5) throw new Error(`${text} does not come`)
    await page.reload()
  }
}

async function passOn(page: Page, purpose: string) {
  await page.getByRole('button', { name: '转交其他平台' }).click()
  const form = dialog(page)
  await field(form, '转交用途').fill(purpose)
  await shoot(page, 'desk-pass-on')
  await accessible(page, 'passing on')
  await form.getByRole('button', { name: '转交其他平台' }).click()
  await gone(page.locator('.el-dialog:visible'))
}

test('a case goes up and comes back answered, another comes down and goes back, and both platforms count the same', { timeout: 200_000 }, async () => {
  const [here, there] = [await introduced(town), await introduced(city)]
  await agree(here.admin.page, there.own, '望海市平台', '上级')
  await agree(there.admin.page, here.own, '海门街道平台', '下级')
  await shoot(here.admin.page, 'desk-peers')
  await accessible(here.admin.page, 'peers')

  // Up, with its photo.
  const resident = await visitor(town, { size: PHONE, at: await pointOf(town, '海晏第一网格') })
  const made = await report(resident.page, { body: '跨街道的河道发臭，两个街道都说不归自己管', here: true, photo: photo('river'), phone: '13900005678', name: '周女士' })
  const dispatcher = await staff(town, 'dispatcher')
  await openCase(dispatcher.page, made.number)
  await dispatchByRule(dispatcher.page, '水体污染')
  await passOn(dispatcher.page, '跨街道河道，需市级协调')
  await shoot(dispatcher.page, 'desk-case-away')

  const above = await staff(city, 'dispatcher')
  await above.page.goto('/desk/handovers')
  await comes(above.page, made.number)
  await shoot(above.page, 'desk-handovers-in')
  await above.page.getByRole('link', { name: /河道/ }).first().click()
  await see(above.page.getByText('海门街道平台').first())
  await above.page.getByRole('button', { name: '要求补充' }).click()
  await field(dialog(above.page), '要对方补充什么').fill('具体在哪座桥附近？')
  await dialog(above.page).getByRole('button', { name: '要求补充' }).click()
  await gone(above.page.locator('.el-dialog:visible'))

  await dispatcher.page.goto('/desk/handovers')
  await comes(dispatcher.page, '对方要求补充')
  await shoot(dispatcher.page, 'desk-handovers-out')
  await dispatcher.page.getByRole('button', { name: '补充', exact: true }).first().click()
  await field(dialog(dispatcher.page), '补充什么').fill('海晏桥东侧约五十米')
  await dialog(dispatcher.page).getByRole('button', { name: '补充', exact: true }).click()
  await gone(dispatcher.page.locator('.el-dialog:visible'))
  await dispatcher.page.getByRole('button', { name: '共享记录' }).first().click()
  await see(dialog(dispatcher.page).getByText('海晏桥东侧约五十米'))
  await shoot(dispatcher.page, 'desk-handover-log')
  await leave(dispatcher)

  // There it is handled as any case, with a photo of the result; who reported is not told to them.
  await comes(above.page, '海晏桥东侧约五十米')
  expect(await above.page.getByText('周**').count()).toBe(0)
  await see(above.page.getByText('照片 1/1'))
  await act(above.page, /^派遣/, async (form) => {
    await choose(above.page, form.getByRole('combobox', { name: '单位' }), '住房和城乡建设局')
    await field(form, '理由').fill('河道归市住建局清淤')
  })
  const theirNumber = await textOf(above.page.locator('header.top .num'))
  await leave(above)
  const housing = await staff(city, 'housing')
  await openCase(housing.page, theirNumber)
  await act(housing.page, /^签收/)
  await act(housing.page, /^办结/, async (form) => {
    await field(form, '办理结果').fill('已清淤两百米，异味消除')
    await form.locator('input[type=file]').nth(1).setInputFiles(photo('clean-river'))
    await gone(form.locator('progress'))
  })
  await act(housing.page, /^反馈/, async (form) => {
    await form.getByRole('radio', { name: '书面' }).check({ force: true })
    await field(form, '内容').fill('河道已清淤，异味消除，今后每周巡查。')
  })
  await leave(housing)

  // Here the answer is told to the resident, checked and closed; the resident never learned another number.
  const worker = await staff(town, 'grid')
  await openCase(worker.page, made.number)
  await comes(worker.page, '河道已清淤，异味消除，今后每周巡查。')
  await shoot(worker.page, 'desk-case-answered-there')
  await act(worker.page, /^反馈/, async (form) => {
    await form.getByRole('radio', { name: '上门当面' }).check({ force: true })
    await field(form, '内容').fill('市里已经清淤，臭味没有了。')
    await field(form, '居民怎么说').fill('好多了')
  })
  await leave(worker)

  // The resident, who never learned another number, objects: it goes to them again by itself.
  await resident.page.goto(`/follow/${made.number}`)
  await see(resident.page.getByText('市里已经清淤，臭味没有了。'))
  expect(await resident.page.getByText('住房和城乡建设局').count()).toBe(0)
  await resident.page.getByRole('button', { name: '没有解决' }).click()
  await field(resident.page, '哪里没有解决').fill('下游还是臭')
  await resident.page.getByRole('button', { name: '要求重新办理' }).click()
  await see(resident.page.getByText('已经转回去重新办理。'))
  await leave(resident)

  // Down, and back with a reason; what came from another platform cannot be passed on a second time.
  const asker = await staff(city, 'dispatcher')
  await asker.page.goto('/desk/handovers')
  await comes(asker.page, '重新打开 1 次')
  const roof = await takeDown(asker.page, { phone: '13900005679', name: '吴先生', body: '小区门口路灯不亮', category: '路灯与景观照明' })
  await openCase(asker.page, roof.number)
  await passOn(asker.page, '属街道管养')
  const taker = await staff(town, 'dispatcher')
  await taker.page.goto('/desk/handovers')
  await comes(taker.page, roof.number)
  await taker.page.getByRole('link', { name: /路灯/ }).first().click()
  await see(taker.page.getByText('由望海市平台转来'))
  await see(taker.page.getByText('请退回来源平台，不能再转交'))
  await taker.page.getByRole('button', { name: '退回来源平台' }).click()
  await field(dialog(taker.page), '退回的理由').fill('该路段由市住建局管养')
  await dialog(taker.page).getByRole('button', { name: '退回来源平台' }).click()
  await gone(taker.page.locator('.el-dialog:visible'))
  await leave(taker)
  await comes(asker.page, '该路段由市住建局管养')
  await shoot(asker.page, 'desk-case-returned')
  await leave(asker)

  // Both sides count the same.
  for (const admin of [here.admin, there.admin]) {
    await admin.page.getByRole('button', { name: '对账' }).click()
    await see(admin.page.getByText('双方一致'))
    expect(await admin.page.locator('.figures td.bad').count()).toBe(0)
    await shoot(admin.page, 'desk-peers-compared')
  }
  await accessible(here.admin.page, 'compared')
  await leave(here.admin, there.admin)
})
