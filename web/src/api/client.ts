// The one way to the server: adds the headers every call needs, turns every failure into an ApiError.
// Entry points: `api.get/post/patch/del`. Screens must not call fetch themselves (uploads: `ui/upload.ts`).

export const API = '/api/v1'

export interface FieldProblem {
  field: string
  code: string
  message: string
}

/** A refusal or failure, with a sentence in the user's language that can be shown as it is. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly details: FieldProblem[] = [],
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message)
  }

  /** Messages by field name, for forms. */
  get fields(): Record<string, string> {
    const all: Record<string, string> = {}
    if (this.field) all[this.field] = this.message
    for (const d of this.details) all[d.field] = d.message
    return all
  }

  /** The server could not be reached: what was typed is safe and may be sent again. */
  get offline(): boolean {
    return this.status === 0
  }
}

export type Face = 'desk' | 'field' | 'portal'

interface ClientSettings {
  face: Face
  lang: () => string
  /** Called when the session has ended. True once the same person has signed in again: then what was asked is asked once more. */
  signedInAgain: () => Promise<boolean>
  /** The sentence shown when the server cannot be reached. */
  offlineText: () => string
  /** How long an answer may take before the line counts as broken; 0 waits as long as the browser does. */
  patienceMs: number
}

const settings: ClientSettings = {
  face: 'portal',
  lang: () => 'zh-CN',
  signedInAgain: () => Promise.resolve(false),
  offlineText: () => '暂时连不上服务器，填写的内容没有丢失，请稍后再试。',
  patienceMs: 0,
}

export function configureClient(changes: Partial<ClientSettings>) {
  Object.assign(settings, changes)
}

/** The headers of every request that changes something; also used by the uploader. */
export function clientHeaders(): Record<string, string> {
  return { 'X-Wangge-Client': settings.face, 'Accept-Language': settings.lang() }
}

/** For those who talk to the server in another way (uploads): the sentence for a broken line, and what to do when the session has ended. */
export const offlineText = () => settings.offlineText()
export const signedInAgain = () => settings.signedInAgain()

export type Query = object

/** `{a: 1, b: undefined}` -> `?a=1`; empty values are left out. */
export function queryString(query?: Query): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === '' || value === false) continue
    params.set(key, String(value))
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}

interface Sent {
  query?: Query
  body?: unknown
  signal?: AbortSignal
}

/** Waits for the same person where the session has ended meanwhile; nothing was done, so it can be asked again. */
async function send(method: string, path: string, sent: Sent): Promise<Response> {
  for (;;) {
    const response = await sendOnce(method, path, sent)
    if (response.ok) return response
    const failed = await failure(response)
    const ended = failed.code === 'unauthenticated' && path !== '/session'
    if (!ended || !(await settings.signedInAgain())) throw failed
  }
}

async function sendOnce(method: string, path: string, { query, body, signal }: Sent): Promise<Response> {
  const headers = clientHeaders()
  const patience = settings.patienceMs ? AbortSignal.timeout(settings.patienceMs) : undefined
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: signal ?? patience }
  if (body instanceof Blob) {
    init.body = body
    headers['Content-Type'] = body.type || 'application/octet-stream'
  } else if (body !== undefined) {
    init.body = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  try {
    return await fetch(API + path + queryString(query), init)
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError(0, 'offline', settings.offlineText())
  }
}

async function failure(response: Response): Promise<ApiError> {
  const body = await response.json().catch(() => null)
  if (!body || typeof body.code !== 'string') {
    return new ApiError(response.status, `http_${response.status}`, `${settings.offlineText()} (${response.status})`)
  }
  const { code, message, field, details, ...extra } = body
  return new ApiError(response.status, code, message ?? code, field ?? null, details ?? [], extra)
}

async function call<T>(method: string, path: string, sent: Sent): Promise<T> {
  const response = await send(method, path, sent)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => call<T>('GET', path, { query, signal }),
  post: <T>(path: string, body: unknown = {}, query?: Query) => call<T>('POST', path, { body, query }),
  patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, { body }),
  put: <T = void>(path: string, body: unknown) => call<T>('PUT', path, { body }),
  del: <T = void>(path: string, body?: unknown) => call<T>('DELETE', path, { body }),
  /** The raw answer, for downloads. */
  raw: (path: string, query?: Query) => send('GET', path, { query }),
  /** The raw answer to a question whose key must not stand in an address. */
  rawPost: (path: string, body: unknown, query?: Query) => send('POST', path, { body, query }),
}
