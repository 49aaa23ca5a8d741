import { expect, test } from 'vitest'
import { trees, type ChartNode } from './chart'

const made = (all: [string, string | null][]) => trees(all, (one) => one[0], (one) => one[1], (one) => ({ key: one[0], title: one[0], lines: [] }))
const words = (nodes: ChartNode[]): string => nodes.map((n) => (n.children.length ? `${n.title}(${words(n.children)})` : n.title)).join(' ')

test('each thing stands once below the one it names', () => {
  expect(words(made([['street', null], ['village', 'street'], ['station', 'village'], ['other', 'unknown']]))).toBe('street(village(station)) other')
})

test('a ring and one that names itself are still shown', () => {
  expect(words(made([['a', 'b'], ['b', 'a'], ['c', 'c']]))).toBe('c a(b)')
})
