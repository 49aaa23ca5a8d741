// What has changed in a household, as heard at the door: what is asked, what is missing, and the entry of the log it becomes.
// Entry points: `emptyChange`, `missingOf`, `entryOf`.
import { newId } from '@/api/ids'
import type { PackedHome } from '@/api/types'

export const KINDS = ['came', 'left', 'phone'] as const
export type Kind = (typeof KINDS)[number]
const UTC_8_MS = 8 * 3_600_000

export interface Change {
  id: string
  /** Empty: nothing has changed. */
  kind: Kind | ''
  who: string
  name: string
  relation: string
  phones: string
  idNumber: string
  on: string
  how: 'moved_away' | 'died'
  /** They were told what is kept of them and why. */
  informed: boolean
}

/** Today, as the place's calendars say. */
export const today = () => new Date(Date.now() + UTC_8_MS).toISOString().slice(0, 10)

export const emptyChange = (): Change => ({ id: newId(), kind: '', who: '', name: '', relation: 'not_related', phones: '', idNumber: '', on: today(), how: 'moved_away', informed: false })

const numbersOf = (text: string) => text.split(/[,，、;；\s]+/).filter(Boolean)

/** Fields that a form with a change can mark. */
export const CHANGE_FIELDS = ['name', 'relation', 'phones', 'id_number', 'valid_from', 'on', 'who', 'informed']

/** What is wanting, by field, in words. */
export function missingOf(change: Change, t: (key: string) => string): Record<string, string> {
  const leaves = change.kind === 'left' || change.kind === 'phone'
  const wants: Record<string, boolean> = {
    name: change.kind === 'came' && !change.name.trim(),
    informed: change.kind === 'came' && !change.informed,
    who: leaves && !change.who,
    phones: change.kind === 'phone' && !numbersOf(change.phones).length,
    on: change.kind !== 'phone' && Boolean(change.kind) && !change.on,
  }
  const missing = Object.keys(wants).filter((field) => wants[field])
  return Object.fromEntries(missing.map((field) => [field, t(field === 'informed' ? 'change.needInformed' : 'need.it')]))
}

/** Where it goes in the log, and what. */
export function entryOf(home: PackedHome, change: Change): { path: string; body: Record<string, unknown> } {
  const phones = numbersOf(change.phones)
  if (change.kind === 'came') {
    const id_number = change.idNumber.trim() || undefined
    const body = { id: change.id, household_id: home.id, relation: change.relation, name: change.name.trim(), phones, id_number, valid_from: change.on, informed: change.informed }
    return { path: '/registry/residents', body }
  }
  if (change.kind === 'left') return { path: `/registry/residents/${change.who}/end`, body: { on: change.on, how: change.how } }
  const row_version = home.residents.find((one) => one.id === change.who)?.row_version
  return { path: `/registry/residents/${change.who}`, body: { phones, row_version } }
}
