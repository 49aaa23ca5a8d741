// What a worker can do about a case on the phone, and what each asks for. Whether it may be done now, the server says.
export type Action = 'take' | 'arrive' | 'handle' | 'answer' | 'return' | 'ask' | 'comment'

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
}

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
export const missing = (action: Action, form: ActionInput): string[] =>
  FORMS[action].required.filter((key) => actionBody(action, form)[key] === undefined)
