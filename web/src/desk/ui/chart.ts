// Nodes of a chart of who is below whom, and how a tree is made of things that each name the one above.
export interface ChartNode {
  key: string
  title: string
  sub?: string
  lines: { text: string; bad?: boolean }[]
  children: ChartNode[]
}

/** The trees of things that each name the one above; what names nobody in the list, or itself, is a root. A ring is cut at its first. */
export function trees<T>(all: T[], id: (one: T) => string, above: (one: T) => string | null, node: (one: T) => Omit<ChartNode, 'children'>): ChartNode[] {
  const known = new Map(all.map((one) => [id(one), one]))
  const rootOf = (one: T): boolean => {
    const up = above(one)
    return up === null || up === id(one) || !known.has(up)
  }
  const seen = new Set<string>()
  const grow = (one: T): ChartNode => {
    seen.add(id(one))
    const below = all.filter((other) => !rootOf(other) && above(other) === id(one) && !seen.has(id(other)))
    return { ...node(one), children: below.map(grow) }
  }
  const grown = all.filter(rootOf).map(grow)
  for (const one of all) if (!seen.has(id(one))) grown.push(grow(one))
  return grown
}
