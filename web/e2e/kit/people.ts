// People with a browser each: their own cookies and storage, a watch on everything the page says in its console, and a
// picture when something went wrong. Entry points: `visitor` (a resident), `staff` (signed in at the desk or the field).
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, expect, inject } from 'vitest'
import { PASSWORD } from './server'
import type { Site } from './setup'

const SHOTS = join(import.meta.dirname, '../shots')
mkdirSync(SHOTS, { recursive: true })

/** How long an expected thing may take on a busy machine before it counts as missing. */
const PATIENCE_MS = 15_000

export const DESKTOP = { width: 1440, height: 900 }
export const PHONE = { width: 390, height: 844 }
export type Size = typeof DESKTOP

let browser: Promise<Browser> | undefined
const connect = () => (browser ??= chromium.connect(inject('browser')))

export interface Person {
  page: Page
  context: BrowserContext
  site: Site
  /** What the page complained about: script errors, refused content, unexpected dialogs. */
  complaints: string[]
}

const present: Person[] = []

/** The browser's own clock shows the server's time, so that "3 days left" means the same on both sides. */
function moveClock(aheadMs: number) {
  const Real = Date
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: []) => (args.length ? new target(...args) : new target(Real.now() + aheadMs)),
    get: (target, key) => (key === 'now' ? () => Real.now() + aheadMs : Reflect.get(target, key)),
  })
}

function withoutWebGl() {
  const real = HTMLCanvasElement.prototype.getContext as (this: HTMLCanvasElement, ...args: unknown[]) => unknown
  HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...args: unknown[]) {
    return String(args[0]).startsWith('webgl') ? null : real.apply(this, args)
  } as typeof HTMLCanvasElement.prototype.getContext
}

interface Wishes {
  size?: Size
  lang?: 'zh-CN' | 'en'
  /** Where the phone says it is. */
  at?: { latitude: number; longitude: number }
  /** Draw maps in full, which is slow without a graphics card; otherwise the simple map is shown. */
  fullMaps?: boolean
  /** A file of a session kept before. */
  state?: string
}

/** Somebody who has just opened a browser. */
export async function visitor(site: Site, wishes: Wishes = {}): Promise<Person> {
  const size = wishes.size ?? DESKTOP
  const context = await (await connect()).newContext({
    baseURL: site.url,
    viewport: size,
    hasTouch: size.width < 600,
    isMobile: size.width < 600,
    locale: wishes.lang ?? 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    geolocation: wishes.at,
    permissions: wishes.at ? ['geolocation', 'clipboard-read', 'clipboard-write'] : ['clipboard-read', 'clipboard-write'],
    storageState: wishes.state,
    reducedMotion: 'reduce',
  })
  context.setDefaultTimeout(PATIENCE_MS)
  context.setDefaultNavigationTimeout(PATIENCE_MS * 2)
  await context.addInitScript(moveClock, site.aheadMs)
  if (!wishes.fullMaps) await context.addInitScript(withoutWebGl)
  const page = await context.newPage()
  const person: Person = { page, context, site, complaints: [] }
  listen(person)
  present.push(person)
  return person
}

function listen(person: Person) {
  const { page, complaints } = person
  page.on('pageerror', (error) => complaints.push(`script error: ${error.message}`))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    const text = message.text()
    // A refused request is an answer, not an error of the page.
    const answered = text.startsWith('Failed to load resource')
    if (message.type() === 'error' && !answered) complaints.push(text)
    if (/content security policy/i.test(text)) complaints.push(text)
  })
}

/** A member of staff, signed in once per run, account and language: what is kept of a session holds the language chosen, too. */
export async function staff(site: Site, login: string, wishes: Wishes = {}): Promise<Person> {
  const kept = join(inject('sessions'), `${new URL(site.url).port}-${login}-${wishes.lang ?? 'zh-CN'}.json`)
  const known = existsSync(kept)
  const person = await visitor(site, { ...wishes, state: known ? kept : undefined })
  if (known) return person
  await signIn(person.page, login, PASSWORD)
  await person.context.storageState({ path: kept })
  return person
}

export async function signIn(page: Page, login: string, password: string) {
  await page.goto('/desk/login')
  await page.locator('input[name=username]').fill(login)
  await page.locator('input[name=password]').fill(password)
  await page.getByRole('button', { name: /^(登录|Sign in)$/ }).click()
  await page.waitForURL((url) => !url.pathname.endsWith('/login'))
}

/** Keeps a picture of the screen as it is. */
export async function shoot(page: Page, name: string) {
  const width = page.viewportSize()?.width ?? DESKTOP.width
  await page.screenshot({ path: join(SHOTS, `${name}-${width}.png`) }).catch(() => undefined)
}

/** Ends a journey: nobody's page complained. */
export async function leave(...people: Person[]) {
  for (const person of people) {
    await person.context.close()
    present.splice(present.indexOf(person), 1)
    expect(person.complaints, 'what the page complained about').toEqual([])
  }
}

/** Pictures of every open page when a test has failed; then everybody leaves. */
afterEach(async ({ task }) => {
  const failed = task.result?.state === 'fail'
  const name = task.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)
  for (const [i, person] of present.splice(0).entries()) {
    if (failed) await shoot(person.page, `failed-${name}-${i}`)
    if (failed && person.complaints.length) console.error(`page ${i} complained:`, person.complaints)
    await person.context.close().catch(() => undefined)
  }
})

afterAll(async () => {
  await (await browser)?.close()
  browser = undefined
})
