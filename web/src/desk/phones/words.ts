// The words in what a phone sent: what a person wrote, not ids, codes and times.

const PLAIN = /^[\w:.+-]*$/

/** Each text somebody wrote, in the order of the form. */
export function wordsOf(value: unknown): string[] {
  if (typeof value === 'string') return PLAIN.test(value) ? [] : [value]
  return value && typeof value === 'object' ? Object.values(value).flatMap(wordsOf) : []
}
