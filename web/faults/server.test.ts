// The server killed in the middle of things, and the server set back to an older backup: phones make up for what it lost.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { program, startDemo, type Running } from '../e2e/kit/server'
import { Campaign } from './campaign'
import { chance } from './chance'
import { BUGS, type Bug } from './planted'
import { World } from './world'

const run = promisify(execFile)
const AT = '2026-03-11T09:30:00+08:00'
const CAMPAIGNS = 10
const KILLS = Number(process.env.FAULTS_KILLS ?? 4)
const BACKUPS = Number(process.env.FAULTS_BACKUPS ?? 1)

const moment = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** The same server again, its clock going on. */
const again = (running: Running, data: string) => startDemo(new Date(Date.now() + running.aheadMs).toISOString(), { data, listen: new URL(running.url).host })
const all = (campaigns: Campaign[], work: (campaign: Campaign) => Promise<void>) => Promise.all(campaigns.map(work))
const wrongOf = async (campaigns: Campaign[]) => (await Promise.all(campaigns.map((campaign) => campaign.judge()))).flatMap((result) => result.wrong)

async function place<T>(work: (data: string, world: World) => Promise<T>): Promise<T> {
  const data = await mkdtemp(join(tmpdir(), 'wangge-faults-'))
  const world = await World.open(await startDemo(AT, { data }))
  try {
    return await work(data, world)
  } finally {
    await world.running.stop()
    await rm(data, { recursive: true, force: true })
  }
}

test(`killed ${KILLS} times while phones send: nothing acknowledged is lost, nothing is doubled`, async () => {
  await place(async (data, world) => {
    const dice = chance(KILLS)
    const campaigns = Array.from({ length: CAMPAIGNS }, (_, n) => new Campaign(world, 50_000_000 + n, undefined, 15))
    await all(campaigns, (campaign) => campaign.open())
    for (let kill = 0; kill < KILLS; kill++) {
      const acting = all(campaigns, (campaign) => campaign.act(10))
      await moment(dice.below(120))
      await world.running.kill()
      await acting
      await world.moveTo(await again(world.running, data))
    }
    await all(campaigns, (campaign) => campaign.heal())
    expect(await wrongOf(campaigns)).toEqual([])
  })
})

/** What phones know after a server was set back: what is wrong. */
function setBack(seed: number, bug?: Bug): Promise<string[]> {
  return place(async (data, world) => {
    const campaigns = Array.from({ length: CAMPAIGNS }, (_, n) => new Campaign(world, seed + n, bug, 10))
    await all(campaigns, (campaign) => campaign.open())
    await all(campaigns, (campaign) => campaign.act(10))
    const settings = join(data, 'wangge.toml')
    const at = (folder: string) => `database = "sqlite:${join(folder, 'wangge.db')}"\nkey_file = "${join(data, 'wangge.key')}"\nblobs = "${join(data, 'blobs')}"\n`
    await writeFile(settings, at(data))
    await run(program(), ['backup', '--out', join(data, 'early.backup'), '--config', settings])
    await all(campaigns, (campaign) => campaign.act(14))
    await world.running.stop()
    const older = join(data, 'older')
    await mkdir(older)
    await run(program(), ['restore', join(data, 'early.backup'), '--into', `sqlite:${join(older, 'wangge.db')}`, '--config', settings])
    await cp(join(data, 'wangge.key'), join(older, 'wangge.key'))
    await world.moveTo(await again(world.running, older))
    await all(campaigns, (campaign) => campaign.act(6))
    await all(campaigns, (campaign) => campaign.heal())
    return wrongOf(campaigns)
  })
}

test(`set back to an older backup, ${BACKUPS} times: phones offer again what it lost`, async () => {
  for (let n = 0; n < BACKUPS; n++) expect(await setBack(60_000_000 + n * 1000)).toEqual([])
})

test.each(BUGS.filter((bug) => bug.onRestore))('finds the planted bug: $name', async (bug) => {
  expect((await setBack(70_000_000, bug)).length).toBeGreaterThan(0)
})
