// The households of this phone as its pages show them. Entry points: `matching`, `housesOf`, `placesOf`.
import type { Due, PackedHome, PackedResident } from '@/api/types'
import { addressOf, type Grid, type Home } from './bundle'

/** Of what is looked for: the beginning of a name, a part of the address or number, and a care register. */
export interface Wanted {
  text: string
  register: string
}

const LONGEST_NAME = 4
const plain = (text: string) => text.toLowerCase().replace(/\s+/g, '')

/** Names are masked here: of a name that is looked for only the family name can answer. */
const answers = (home: PackedHome, text: string) =>
  plain(`${addressOf(home)}${home.number ?? ''}`).includes(text) || (text.length <= LONGEST_NAME && home.residents.some((one) => one.name.startsWith(text.slice(0, 1))))

/** The households asked for, in the order of a walk. */
export function matching(homes: Home[], wanted: Wanted): Home[] {
  const text = plain(wanted.text)
  return homes.filter((home) => (!text || answers(home, text)) && (!wanted.register || isOn(home, wanted.register)))
}

const isOn = (home: PackedHome, register: string) => home.residents.some((one) => one.registers.includes(register))

/** Whoever is on a care register there. */
export const inCare = (home: PackedHome): PackedResident[] => home.residents.filter((one) => one.registers.length)

/** How many households have somebody on each register. */
export function registersIn(homes: Home[]): { key: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const home of homes) for (const key of new Set(home.residents.flatMap((one) => one.registers))) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].map(([key, count]) => ({ key, count })).sort((a, b) => b.count - a.count)
}

/** Households by house, in the order of a walk. */
export function housesOf(homes: Home[]): { name: string; homes: Home[] }[] {
  const houses = new Map<string, Home[]>()
  for (const home of homes) {
    const name = [home.house, /^[^楼幢栋]*[楼幢栋]/.exec(home.room)?.[0]].filter(Boolean).join(' ')
    houses.set(name, [...(houses.get(name) ?? []), home])
  }
  return [...houses].map(([name, of]) => ({ name, homes: of }))
}

/** One thing on the map of the grid: a hazard, a house with somebody in care, something else that stands there. */
export interface Place {
  key: string
  layer: 'hazard' | 'due' | 'care' | 'other'
  name: string
  note: string
  lon: number
  lat: number
  phone: string
  homes: Home[]
  /** Where it is done. */
  to?: string
}

export const LAYERS = ['hazard', 'due', 'care', 'other'] as const

/** What is to be checked or called on today, where it is known where; the grid as a whole is no place on its own map. */
function duePlaces(dues: Due[]): Place[] {
  const known = dues.filter((due) => due.subject_kind !== 'grid' && due.lon !== null && due.lat !== null)
  return known.map((due) => ({ key: due.id, layer: 'due', name: due.subject_name, note: due.rule_name, lon: due.lon!, lat: due.lat!, phone: '', homes: [], to: `/duty/${due.subject_id}/${due.act}` }))
}

/** What a worker is to know of the ground, hazards first, then what is to be done today. */
export function placesOf(grids: Grid[], homes: Home[], dues: Due[]): Place[] {
  const owed = new Set(dues.map((due) => due.subject_id))
  const standing = grids.flatMap((grid) =>
    grid.facilities.filter((one) => one.hazard || !owed.has(one.id)).map<Place>((one) => ({
      key: one.id,
      layer: one.hazard ? 'hazard' : 'other',
      name: one.name,
      note: [one.kind, one.address, one.hours].filter(Boolean).join(' · '),
      lon: one.lon,
      lat: one.lat,
      phone: one.phone,
      homes: [],
    })),
  )
  const cared = homes.filter((home) => home.lon !== null && home.lat !== null && inCare(home).length)
  const houses = new Map<string, Place>()
  for (const home of cared) {
    const key = `${home.lon} ${home.lat}`
    const place = houses.get(key) ?? { key, layer: 'care', name: home.house || addressOf(home), note: '', lon: home.lon!, lat: home.lat!, phone: '', homes: [] }
    place.homes.push(home)
    houses.set(key, place)
  }
  return [...standing, ...duePlaces(dues), ...houses.values()].sort((a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer))
}
