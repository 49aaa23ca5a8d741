// Households for journeys that need somebody to live there, registered through the API as their staff would.
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

export const get = async <T>(page: Page, path: string) => (await (await page.request.get(`/api/v1${path}`)).json()) as T
export const post = (page: Page, path: string, data: unknown) => page.request.post(`/api/v1${path}`, { data, headers: { 'x-wangge-client': 'desk' } })

/** A number with its check character, of somebody born on a day. */
export function idNumber(born: string, order: number): string {
  const first = `330902${born}${String(order).padStart(3, '0')}`
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = [...first].reduce((total, digit, i) => total + Number(digit) * weights[i], 0)
  return first + '10X98765432'[sum % 11]
}

/** Two buildings near a point of 海晏社区, by number. */
export async function buildings(planner: Page, at: { latitude: number; longitude: number }) {
  const nodes = ['id,lon,lat,region,households,lift', ...[1, 2].map((n) => `D${n},${at.longitude + n * 0.0004},${at.latitude},海晏社区,10,0`)]
  const made = await post(planner, '/dwellings/import', { nodes: nodes.join('\n'), edges: 'u,v\nD1,D2', datum: 'wgs84' })
  expect(made.status(), await made.text()).toBeLessThan(300)
  const [area] = (await get<{ items: { id: string }[] }>(planner, '/areas?q=海晏社区')).items
  const all = (await get<{ items: { id: string; code: string }[] }>(planner, `/dwellings?area=${area.id}&limit=50`)).items
  return new Map(all.map((one) => [one.code, one.id]))
}

export interface Somebody {
  relation: string
  name: string
  id_number?: string
  phones?: string[]
}

/** A household with its people; the ids. */
export async function register(page: Page, place: Record<string, unknown>, people: Somebody[]) {
  const home = { id: crypto.randomUUID(), number: '', place }
  const made = await post(page, '/registry/households', home)
  expect(made.status(), await made.text()).toBeLessThan(300)
  const ids: string[] = []
  for (const one of people) {
    const person = { id: crypto.randomUUID(), household_id: home.id, ...one }
    const said = await post(page, '/registry/residents', person)
    expect(said.status(), await said.text()).toBeLessThan(300)
    ids.push(person.id)
  }
  return { home: home.id, people: ids }
}
