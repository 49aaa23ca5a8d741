// What a worker can do about a case on the phone, and what each asks for. Whether it may be done now, the server says.
export type Action = 'take' | 'arrive' | 'handle' | 'answer' | 'return' | 'ask' | 'comment' | 'mediate'

export interface Form {
  /** Moves the case on. */
  main?: boolean
  /** Fields that must be filled in. */
  required: string[]
}

export const FORMS: Record<Action, Form> = {
  take: { main: true, required: [] },
  arrive: { main: true, required: [] },
  handle: { main: true, required: ['result'] },
  mediate: { main: true, required: ['outcome', 'agreement'] },
  answer: { main: true, required: ['body'] },
  ask: { required: ['reason'] },
  return: { required: ['reason_code', 'reason'] },
  comment: { required: ['body'] },
}

export interface ActionInput {
  id: string
  result: string
  before: string[]
  after: string[]
  way: string
  body: string
  resident_said: string
  rating: number
  reason: string
  reason_code: string
  kind: 'extension' | 'pause' | 'park'
  days: number | ''
  until: string
  outcome: 'agreed' | 'failed' | 'withdrawn' | ''
  agreement: string
  mediator: string
  /** Days of the calendar. */
  held_on: string
  follow_up_on: string
  /** Photos of the paper. */
  attachments: string[]
}

/** An agreement is looked at again on a day that is named; nothing else is. */
const MEDIATION: (keyof ActionInput)[] = ['outcome', 'agreement', 'mediator', 'held_on', 'attachments']

/** What is sent: only the fields of the action, empty ones left out; a day of the calendar becomes its end in Shanghai. */
export function actionBody(action: Action, form: ActionInput): Record<string, unknown> {
  const fields: Record<Action, (keyof ActionInput)[]> = {
    take: [],
    arrive: [],
    handle: ['result', 'before', 'after'],
    answer: ['way', 'body', 'resident_said', 'rating'],
    return: ['reason_code', 'reason'],
    ask: form.kind === 'extension' ? ['kind', 'reason', 'days'] : form.kind === 'pause' ? ['kind', 'reason', 'until'] : ['kind', 'reason'],
    comment: ['body'],
    mediate: form.outcome === 'agreed' ? [...MEDIATION, 'follow_up_on'] : MEDIATION,
  }
  const body: Record<string, unknown> = { action_id: form.id }
  for (const key of fields[action]) {
    const raw = form[key]
    const value = typeof raw === 'string' ? raw.trim() : raw
    if (value === '' || value === 0 || (Array.isArray(value) && value.length === 0)) continue
    body[key] = key === 'until' ? `${String(value)}T23:59:59+08:00` : value
  }
  return body
}

/** The required fields that are still empty. */
export function missing(action: Action, form: ActionInput): string[] {
  const owed = action === 'mediate' && form.outcome === 'agreed' ? ['follow_up_on'] : []
  return [...FORMS[action].required, ...owed].filter((key) => actionBody(action, form)[key] === undefined)
}
