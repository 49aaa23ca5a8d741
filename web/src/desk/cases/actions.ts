// What each action on a case asks for, and its key. The server says which actions exist and whether they may be done now;
// here is only how their forms look. Field names are those of the API.

import type { CaseDetail } from '@/api/types'

export type FieldKind =
  | 'text'
  | 'area'
  | 'category'
  | 'unit'
  | 'worker'
  | 'coHandler'
  | 'request'
  | 'requestKind'
  | 'way'
  | 'returnCode'
  | 'rating'
  | 'days'
  | 'date'
  | 'outcome'
  | 'time'
  | 'yesNo'
  | 'photos'
  | 'case'
  | 'reports'
  | 'report'

export interface ActionField {
  key: string
  kind: FieldKind
  required?: boolean | ((form: Record<string, unknown>) => boolean)
  /** Asked only when the form says so, or the case. */
  when?: (form: Record<string, unknown>, item: CaseDetail) => boolean
  /** Word of the label, where the field's own name says another thing. */
  label?: string
}

export interface ActionForm {
  shortcut?: string
  /** Strong for what moves the case on, danger for what ends it. */
  tone?: 'main' | 'danger'
  fields: ActionField[]
}

const text = (key: string, required = true): ActionField => ({ key, kind: 'area', required })
const of = (key: string, kind: FieldKind, required = true, when?: ActionField['when']): ActionField => ({ key, kind, required, when })
const several: ActionField['when'] = (_form, item) => item.reports.filter((r) => !r.withdrawn).length > 1

export const ACTIONS: Record<string, ActionForm> = {
  accept: { shortcut: 'a', tone: 'main', fields: [] },
  decline: { shortcut: 'd', tone: 'danger', fields: [text('reason'), text('where_to_go')] },
  classify: { shortcut: 'c', fields: [of('category_code', 'category')] },
  route: { shortcut: 'r', tone: 'main', fields: [of('unit_id', 'unit', false), text('reason', false)] },
  take: { shortcut: 't', tone: 'main', fields: [] },
  return: { shortcut: 'x', fields: [of('reason_code', 'returnCode'), text('reason'), of('suggest_unit', 'unit', false)] },
  arbitrate: { shortcut: 'z', tone: 'main', fields: [of('unit_id', 'unit'), text('reason')] },
  assign_worker: { shortcut: 'w', fields: [of('worker_id', 'worker')] },
  add_co_handler: { shortcut: 'o', fields: [of('unit_id', 'unit'), text('part'), of('limit', 'time', false)] },
  co_done: { fields: [of('co_handler_id', 'coHandler'), text('result')] },
  co_return: { fields: [of('co_handler_id', 'coHandler'), text('reason')] },
  arrive: { fields: [] },
  mediate: {
    tone: 'main',
    fields: [
      of('outcome', 'outcome'),
      text('agreement'),
      { key: 'mediator', kind: 'text' },
      of('held_on', 'date', false),
      of('follow_up_on', 'date', false),
      { key: 'attachments', kind: 'photos', label: 'paper' },
    ],
  },
  ask: { shortcut: 'q', fields: [of('kind', 'requestKind'), text('reason'), of('days', 'days', false, (form) => form.kind === 'extension'), of('until', 'time', true, (form) => form.kind === 'pause')] },
  decide: { shortcut: 'p', tone: 'main', fields: [of('request_id', 'request'), of('approve', 'yesNo'), { ...text('note'), required: (form) => form.approve === false }] },
  resume: { fields: [] },
  unpark: { fields: [text('reason')] },
  handle: { shortcut: 'h', tone: 'main', fields: [text('result'), of('before', 'photos', false), of('after', 'photos', false), { ...text('override_reason', false), when: (_form, item) => item.co_handlers.some((h) => h.state === 'open') }] },
  answer: {
    shortcut: 'b',
    tone: 'main',
    fields: [of('report_id', 'report', false, several), of('way', 'way'), text('body'), text('resident_said', false), of('solved', 'yesNo', false), of('rating', 'rating', false)],
  },
  verify: { shortcut: 'v', tone: 'main', fields: [of('pass', 'yesNo'), { ...text('note'), required: (form) => form.pass === false }, of('attachments', 'photos', false)] },
  rework: { shortcut: 'g', fields: [text('reason')] },
  close: { shortcut: 'e', tone: 'main', fields: [text('note', false)] },
  reopen: { fields: [text('reason')] },
  merge: { shortcut: 'm', fields: [of('into', 'case')] },
  split: { fields: [of('report_ids', 'reports')] },
  withdraw: { tone: 'danger', fields: [of('report_id', 'report', true, several), text('reason')] },
  supervise: { shortcut: 's', fields: [text('instruction'), of('due', 'time', false)] },
  urge: { shortcut: 'u', fields: [text('note')] },
  comment: { shortcut: 'l', fields: [text('body')] },
  meeting: { fields: [text('body')] },
}

/** An empty form of an action. */
export function emptyForm(action: string): Record<string, unknown> {
  const form: Record<string, unknown> = {}
  for (const field of ACTIONS[action]?.fields ?? []) {
    form[field.key] = field.kind === 'photos' || field.kind === 'reports' ? [] : undefined
  }
  return form
}

/** The fields that an action asks for, as its form and the case stand. */
export function asked(action: string, form: Record<string, unknown>, item: CaseDetail): ActionField[] {
  return (ACTIONS[action]?.fields ?? []).filter((f) => f.when?.(form, item) ?? true)
}

/** What is sent: empty fields are left out, so that the server applies its own defaults; so are those not asked for. */
export function bodyOf(action: string, form: Record<string, unknown>, item: CaseDetail): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const field of asked(action, form, item)) {
    const raw = form[field.key]
    const value = typeof raw === 'string' ? raw.trim() : raw
    const empty = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
    if (!empty) body[field.key] = value
  }
  if (action === 'route' && !body.unit_id) body.auto = true
  return body
}

export const isRequired = (field: ActionField, form: Record<string, unknown>): boolean =>
  typeof field.required === 'function' ? field.required(form) : Boolean(field.required)

/** The required fields that are still empty. */
export function missing(action: string, form: Record<string, unknown>, item: CaseDetail): string[] {
  const body = bodyOf(action, form, item)
  return asked(action, form, item).filter((f) => isRequired(f, form) && body[f.key] === undefined).map((f) => f.key)
}
