// Hostile words through every entrance, then every face opened in the browser: nothing runs, nothing asks another host, no dialog opens.
// A sample of `crates/server/tests/corpora/hostile.txt`; all of them with CORPORA=all (script/corpora). On a server of its own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, inject, test } from 'vitest'
import { gone, see } from '../kit/check'
import { leave, PHONE, staff, visitor, type Person } from '../kit/people'
import { follow } from '../kit/portal'
import { startDemo, type Running } from '../kit/server'

const ALL = process.env.CORPORA === 'all'
/** Words that go into one matter together. */
const TOGETHER = 6
/** Every so many of the list. */
const STEP = ALL ? 1 : 14
/** Of this many matters each has its own page opened. */
const OPENED = ALL ? Infinity : 2
const LIMIT_MS = ALL ? 60 * 60_000 : 240_000

const LIST = readFileSync(join(import.meta.dirname, '../../../crates/server/tests/corpora/hostile.txt'), 'utf8')
const every = LIST.split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => JSON.parse(line.slice(line.indexOf('\t') + 1)) as string)
const words = every.filter((word, nth) => nth % STEP === 2 % STEP && !word.includes('\0'))
const groups = Array.from({ length: Math.ceil(words.length / TOGETHER) }, (_, n) => words.slice(n * TOGETHER, (n + 1) * TOGETHER))
const short = (word = '') => [...word].slice(0, 50).join('')

let made = 0
/** Ids of things made here: their time is over long ago, so that they sort before all others. */
const newId = () => `01900000-0000-7000-8000-${(++made).toString(16).padStart(12, '0')}`

interface Matter {
  id: string
  number: string
  code: string
}

const patience = (page: Page, seconds: number) => page.waitForTimeout((seconds || 1) * 1000)

/** Follows a matter; again after a while where the address has asked too often. */
async function followUp(page: Page, number: string, code: string) {
  const there = page.locator('.keep-lines')
  for (;;) {
    await follow(page, number, code)
    const tooOften = page.getByText(/请在 \d+ 秒后重试/)
    await see(there.or(tooOften))
    if (await there.first().isVisible()) return
    await patience(page, Number(/\d+/.exec(await tooOften.innerText())?.[0]))
  }
}

/** Sends what a page would send; refusals in words are fine, faults are not. */
async function send(person: Person, path: string, data: unknown): Promise<Record<string, unknown> | undefined> {
  const post = () => person.page.request.post(`${person.site.url}/api/v1${path}`, { data, headers: { 'x-wangge-client': 'desk' } })
  let answer = await post()
  // All of them are more than one address may send in a minute.
  for (; answer.status() === 429; answer = await post()) await patience(person.page, Number(answer.headers()['retry-after']))
  expect(answer.status(), `${path} ${await answer.text()}`).toBeLessThan(500)
  return answer.ok() ? ((await answer.json().catch(() => ({}))) as Record<string, unknown>) : undefined
}

async function report(resident: Person, group: string[], area: string): Promise<Matter | undefined> {
  const id = newId()
  const at = (n: number) => short(group[n % group.length])
  const opened = await send(resident, '/portal/reports', {
    id, body: group.join('\n'), title: at(0), address: at(1), name: at(2), place_note: at(3), area_id: area, category_code: '0301', phone: '13900001111',
  })
  return opened && { id, number: String(opened.number), code: String(opened.follow_code) }
}

/** No request may go anywhere else, and nothing of what was typed may have become part of the program. */
function watch(person: Person, asked: string[]) {
  person.context.on('request', (request) => {
    const url = new URL(request.url())
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.origin !== person.site.url) asked.push(request.url())
  })
}

async function look(page: Page, path: string) {
  await page.goto(path)
  await see(page.locator('main h1, main h2'))
  await sound(page, path)
}

async function sound(page: Page, path: string) {
  await gone(page.locator('.el-loading-mask, [aria-busy=true]'))
  const found = await page.evaluate(() => ({
    ran: (window as unknown as { ran?: unknown }).ran,
    // What a page of ours never has.
    foreign: document.querySelectorAll('img[src=x], iframe, object, embed, base, marquee, script:not([src]), link[href*=evil], [onerror], [onload], [onfocus], [onclick]').length,
  }))
  expect(found, path).toEqual({ ran: undefined, foreign: 0 })
}

async function names(site: Running) {
  const [personnel, security] = [await staff(site, 'personnel'), await staff(site, 'security')]
  const areas = (await (await fetch(`${site.url}/api/v1/areas?q=${encodeURIComponent('海晏第一网格')}`)).json()) as { items: { id: string }[] }
  const area_id = areas.items[0].id
  for (const word of words.slice(0, 60)) {
    const [id, name] = [newId(), short(word)]
    const code = id.slice(-8)
    await send(personnel, '/units', { id, code, name, kind: 'bureau', body: 'housing', area_id, office: name })
    await send(personnel, '/workers', { id, name, badge_no: code, phone: '' })
    await send(security, '/accounts', { id, login: `x${code}`, name, worker_id: null, grants: [{ role: 'clerk', area_id, unit_id: null }] })
    await send(security, '/partners', { id, name, purpose: word, contact: name, area_id, may_report: true, answers: 'realtime' })
  }
  await leave(personnel, security)
  return area_id
}

const DESK: Record<string, string[]> = {
  dispatcher: ['/desk/cases?queue=all', '/desk/dispatch', '/desk/board', '/desk/admin/outbox', '/desk/exports'],
  personnel: ['/desk/admin/units', '/desk/admin/workers', '/desk/admin/teams'],
  security: ['/desk/admin/accounts', '/desk/admin/partners'],
  system: ['/desk/admin/jobs', '/desk/admin/dialogue'],
  audit: ['/desk/admin/access-log', '/desk/admin/ledger'],
}
const PORTAL = ['/outcomes', '/transparency', '/worker', '/map']

test('no hostile word runs on any page', { timeout: LIMIT_MS }, async () => {
  expect(words.length).toBeGreaterThan(ALL ? 480 : 25)
  const site = await startDemo('2026-03-11T09:30:00+08:00')
  const asked: string[] = []
  try {
    const area = await names(site)
    const resident = await visitor(site, { size: PHONE })
    const dispatcher = await staff(site, 'dispatcher')
    const system = await staff(site, 'system')
    for (const person of [resident, dispatcher, system]) watch(person, asked)
    const matters: Matter[] = []
    for (const group of groups) {
      const matter = await report(resident, group, area)
      if (!matter) continue
      matters.push(matter)
      const { row_version } = (await (await dispatcher.page.request.get(`${site.url}/api/v1/cases/${matter.id}`)).json()) as { row_version: number }
      expect(await send(dispatcher, `/cases/${matter.id}/actions/comment`, { body: group.join('\n'), row_version })).toBeDefined()
      await send(resident, `/portal/follow/${matter.number}/add`, { follow_code: matter.code, body: group.join('\n') })
      await send(system, '/dialogue/sms/try', { id: newId(), from: '13800001234', text: group.join(' ') })
    }
    expect(matters.length).toBeGreaterThan(groups.length / 2)
    for (const matter of matters.slice(0, OPENED)) {
      await look(dispatcher.page, `/desk/cases/${matter.id}`)
      await followUp(resident.page, matter.number, matter.code)
      await sound(resident.page, matter.number)
    }
    await leave(system)
    for (const path of PORTAL) await look(resident.page, path)
    await look(dispatcher.page, `/desk/cases?queue=all&q=${encodeURIComponent(words[0])}`)
    await leave(resident, dispatcher)
    for (const [login, paths] of Object.entries(DESK)) {
      const person = await staff(site, login)
      watch(person, asked)
      for (const path of paths) await look(person.page, path)
      await leave(person)
    }
    const worker = await staff(site, 'grid', { size: PHONE })
    watch(worker, asked)
    await look(worker.page, '/field/')
    for (const matter of matters.slice(0, OPENED)) await look(worker.page, `/field/case/${matter.id}`)
    await leave(worker)
    expect(asked, 'requests to other hosts').toEqual([])
  } finally {
    await site.stop()
  }
})

test('the words are live: put into a page as HTML, they run', async () => {
  const person = await visitor(inject('morning'))
  await person.page.goto('about:blank')
  for (const word of ['<img src=x onerror=window.ran=1>', '<audio src=x onerror=window.ran=1>', '<details open ontoggle=window.ran=1>x</details>']) {
    expect(every).toContain(word)
    await person.page.evaluate((html) => {
      delete (window as unknown as { ran?: number }).ran
      document.body.innerHTML = html
    }, word)
    await person.page.waitForFunction(() => (window as unknown as { ran?: number }).ran === 1)
  }
  await person.context.close()
})
