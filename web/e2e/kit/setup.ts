// Once per run: two demo servers (an ordinary working morning, and the night before Spring Festival) and one browser.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { freePort, startDemo, type Running } from './server'

/** A Wednesday morning in working time. */
const MORNING = '2026-03-11T09:30:00+08:00'
/** The last Friday before Spring Festival 2026, after office hours; the next day is a make-up working day. */
const FESTIVAL_NIGHT = '2026-02-13T21:40:00+08:00'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface Site {
  url: string
  aheadMs: number
}

declare module 'vitest' {
  interface ProvidedContext {
    browser: string
    /** Folder of this run's sessions, so that nobody signs in twice. */
    sessions: string
    morning: Site
    /** Where webhooks of the morning's server may go. */
    partner: string
    /** Where another platform may stand that the morning's server exchanges cases with. */
    neighbour: string
    festival: Site
  }
}

export default async function setup(project: TestProject) {
  const started: (Running | BrowserServer)[] = []
  const sessions = await mkdtemp(join(tmpdir(), 'wangge-sessions-'))
  const stopAll = async () => {
    for (const one of started) await ('stop' in one ? one.stop() : one.close())
    await rm(sessions, { recursive: true, force: true })
  }
  try {
    const browser = await chromium.launchServer({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS })
    started.push(browser)
    const partner = `http://127.0.0.1:${await freePort()}`
    const neighbour = `127.0.0.1:${await freePort()}`
    const morning = await startDemo(MORNING, { env: { WANGGE_WEBHOOK_TARGETS: `${partner},http://${neighbour}` } })
    started.push(morning)
    const festival = await startDemo(FESTIVAL_NIGHT)
    started.push(festival)
    project.provide('sessions', sessions)
    project.provide('browser', browser.wsEndpoint())
    project.provide('partner', partner)
    project.provide('neighbour', neighbour)
    project.provide('morning', { url: morning.url, aheadMs: morning.aheadMs })
    project.provide('festival', { url: festival.url, aheadMs: festival.aheadMs })
  } catch (error) {
    await stopAll()
    throw error
  }
  return stopAll
}
