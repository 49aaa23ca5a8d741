// Chance from a seed: the same seed makes the same choices.

export interface Chance {
  /** From 0 to 1. */
  next(): number
  /** A whole number below `n`. */
  below(n: number): number
  /** True in so many of a hundred cases. */
  in100(share: number): boolean
  pick<T>(of: readonly T[]): T
  id(): string
}

/** Mulberry32. */
export function chance(seed: number): Chance {
  let state = (seed * 2_654_435_761) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (n: number) => Math.floor(next() * n)
  const hex = (digits: number) => Array.from({ length: digits }, () => below(16).toString(16)).join('')
  return {
    next,
    below,
    in100: (share) => next() * 100 < share,
    pick: (of) => of[below(of.length)]!,
    id: () => `0190${hex(4)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`,
  }
}
