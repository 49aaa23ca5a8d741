import { describe, expect, it } from 'vitest'
import type { Due } from '@/api/types'
import type { Grid, Home } from './bundle'
import { emptyChange, entryOf, missingOf } from './changes'
import { housesOf, matching, placesOf, registersIn } from './model'

const home = (id: string, room: string, more: Partial<Home> = {}): Home => ({ id, number: null, house: '东港花园', room, order: id, lon: 122.1, lat: 29.9, residents: [], row_version: 1, last: null, grid: 'g', ...more })
const person = (id: string, name: string, registers: string[] = []) => ({ id, name, relation: 'householder', age: 70, sex: null, phones: [], registers, row_version: 3 })
const homes = [
  home('1', '1幢101室', { residents: [person('a', '王**', ['hardship'])] }),
  home('2', '1幢102室', { residents: [person('b', '李*')] }),
  home('3', '2幢101室', { residents: [person('c', '王*', ['hardship', 'disabled'])], lon: 122.2 }),
]

describe('households of the phone', () => {
  it('are found by address, family name and register', () => {
    const ids = (text: string, register = '') => matching(homes, { text, register }).map((one) => one.id)
    expect(ids('1幢 101')).toEqual(['1'])
    expect(ids('王小明')).toEqual(['1', '3'])
    expect(ids('', 'disabled')).toEqual(['3'])
    expect(ids('李', 'hardship')).toEqual([])
  })

  it('stand by house, and are counted by register', () => {
    expect(housesOf(homes).map((house) => [house.name, house.homes.length])).toEqual([['东港花园 1幢', 2], ['东港花园 2幢', 1]])
    expect(registersIn(homes)).toEqual([{ key: 'hardship', count: 2 }, { key: 'disabled', count: 1 }])
  })

  it('are on the map where somebody is in care, hazards before them', () => {
    const facility = { id: 'f', name: '老屋', kind: '危旧房', hazard: true, lon: 122, lat: 29.8, address: '', hours: '', phone: '' }
    const grid: Grid = { area_id: 'g', name: '网格', ground: '', parts: [], more: false, outline: null, facilities: [{ ...facility, id: 'o', hazard: false }, facility] }
    expect(placesOf([grid], homes, []).map((place) => [place.layer, place.homes.length])).toEqual([['hazard', 0], ['care', 1], ['care', 1], ['other', 0]])
    // What is to be checked today stands there once, and leads to its form.
    const due = { id: 'd', subject_id: 'o', subject_name: '公厕', rule_name: '检查', act: 'check', lon: 122, lat: 29.8 } as Due
    expect(placesOf([grid], homes, [due]).map((place) => [place.layer, place.to])).toContainEqual(['due', '/duty/o/check'])
    expect(placesOf([grid], homes, [due]).filter((place) => place.layer === 'other')).toEqual([])
  })
})

describe('a change in a household', () => {
  const words = (key: string) => key
  it('wants what it needs before it is sent', () => {
    const change = { ...emptyChange(), kind: 'came' as const }
    expect(missingOf(change, words)).toEqual({ name: 'need.it', informed: 'change.needInformed' })
    expect(missingOf({ ...change, kind: 'phone' }, words)).toEqual({ who: 'need.it', phones: 'need.it' })
    expect(missingOf({ ...change, kind: '' }, words)).toEqual({})
  })

  it('says which version of the person it was made on', () => {
    const change = { ...emptyChange(), kind: 'phone' as const, who: 'a', phones: '138，139' }
    expect(entryOf(homes[0], change)).toEqual({ path: '/registry/residents/a', body: { phones: ['138', '139'], row_version: 3 } })
  })
})
