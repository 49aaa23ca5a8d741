// What is owed today on this phone: the list as the server gave it last, without what is recorded here and waits for signal.
// Entry points: `loadDues`, `dues`, `visitBody`.
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import type { Due, Page } from '@/api/types'
import type { TaskForm } from '../campaigns/model'
import type { Change } from '../homes/changes'
import { waiting } from '../unsent'
import { remembered } from '../vault'

/** One page: more than a day's walk. */
const MOST = 200
const UTC_8_MS = 8 * 3_600_000

const all = ref<Due[]>([])
/** A visit to a place is not yet a patrol of it. */
export const errand = (subject: unknown, act: unknown) => `${String(subject)} ${String(act)}`
/** What is recorded here and not yet sent. */
export const recorded = computed(() => new Set(waiting.value.filter((u) => u.path === '/visits').map((u) => errand(u.body.subject_id, u.body.act))))

/** What is still to be done, the most pressing first. */
export const dues = computed(() => all.value.filter((d) => !recorded.value.has(errand(d.subject_id, d.act))))
/** So many places are done but not sent. */
export const unsentVisits = computed(() => recorded.value.size)

/** Asks the server; without signal, what it said last. */
export async function loadDues(): Promise<void> {
  const page = await remembered('duties', () => api.get<Page<Due>>('/duties/today', { limit: MOST }))
  all.value = page.items
}

/** What one errand to a subject is for, recorded here or not. */
export const duesOf = (subject: string, act: string) => all.value.filter((d) => d.subject_id === subject && d.act === act)

/** A moment with its offset, as the place's clocks show it. */
export const inShanghai = (ms: number) => new Date(ms + UTC_8_MS).toISOString().replace('Z', '+08:00')

export const OUTCOMES = ['met', 'nobody_home', 'refused', 'closed', 'moved_away'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** How it can have gone: a place is not at home and does not move away, a home is not closed. */
export function outcomesOf(kind: Due['subject_kind']): Outcome[] {
  if (kind === 'grid') return ['met']
  return kind === 'facility' ? ['met', 'closed'] : ['met', 'nobody_home', 'refused', 'moved_away']
}

/** Somebody who goes along. */
export interface Companion {
  id: string
  name: string
}

/** Whom an errand is to. */
export interface Errand {
  act: string
  kind: Due['subject_kind']
  subject: string
  name: string
  area: string
  areaName: string
}

/** What somebody asked for at a visit, or what was found there; each becomes a case. */
export interface Matter {
  id: string
  kind: (typeof MATTERS)[number]
  body: string
  photos: string[]
  category: string
}
export const MATTERS = ['request', 'errand', 'hazard'] as const

export interface VisitForm {
  id: string
  outcome: Outcome
  minutes: number | ''
  talk: string
  photos: string[]
  companions: Companion[]
  matters: Matter[]
  /** What has changed in the household. */
  change: Change
  /** When it began, in milliseconds. */
  begun: number
  /** What is sent or kept already, while something else was refused: `visit`, `change`, ids of matters and campaigns. */
  sent: string[]
  /** What campaigns ask here, by campaign. */
  tasks: Record<string, TaskForm>
}

/** What is sent of a visit. `at`: where the phone is, if it knows. */
export function visitBody(to: Errand, form: VisitForm, at: { lon: number; lat: number } | null): Record<string, unknown> {
  return {
    id: form.id,
    act: to.act,
    subject_kind: to.kind,
    subject_id: to.subject,
    at: inShanghai(form.begun),
    minutes: form.minutes === '' ? 0 : form.minutes,
    outcome: form.outcome,
    position: at ?? undefined,
    talk: form.talk.trim() || undefined,
    photos: form.photos,
    companions: form.companions.map((one) => one.id),
    matters: written(form).map((one) => one.id),
  }
}

/** The matters with words in them. */
export const written = (form: VisitForm) => form.matters.filter((one) => one.body.trim())

/** What is sent of a matter. `mark`: what stands before its words, so that whoever reads it knows what it is. */
export function matterBody(to: Errand, one: Matter, mark: string, at: { lon: number; lat: number } | null): Record<string, unknown> {
  const where = at ? { ...at, datum: 'wgs84' } : { area_id: to.area }
  return { id: one.id, channel: 'visit', body: mark + one.body.trim(), category_code: one.category || undefined, place_note: to.name, attachments: one.photos, ...where }
}

/** What the rules of a subject want to see and the form does not have. Only of a visit that met with somebody: one in vain is never in want. */
export function wanting(of: Due[], form: VisitForm, at: object | null): ('photo' | 'position' | 'talk' | 'people')[] {
  if (form.outcome !== 'met') return []
  const wants = (key: 'photo' | 'position' | 'talk') => of.some((d) => d[key])
  const missing: ReturnType<typeof wanting> = []
  if (wants('photo') && !form.photos.length) missing.push('photo')
  if (wants('position') && !at) missing.push('position')
  if (wants('talk') && !form.talk.trim()) missing.push('talk')
  if (of.some((d) => d.people > form.companions.length + 1)) missing.push('people')
  return missing
}
