// Cases opened before can be read without signal: sealed like all that this phone keeps (vault.ts), the last few only, not for
// long, and gone when the worker signs out. Entry point: `caseOf`.
import { api, ApiError } from '@/api/client'
import type { CaseDetail } from '@/api/types'
import { get, put, remove } from '../vault'

/** So many, the ones opened last. */
const MOST = 30
/** After this a copy is no longer shown: too much will have changed, and nothing stays on a phone for ever. */
const DAYS = 7
const DAY_MS = 86_400_000
const ORDER = 'seen/cases'
const nameOf = (id: string) => `seen/case/${id}`

interface Copy {
  at: string
  found: CaseDetail
}

/** The case, and when it was read where there is no signal now (null: just now). */
export async function caseOf(id: string): Promise<{ found: CaseDetail; at: string | null }> {
  try {
    const found = await api.get<CaseDetail>(`/cases/${id}`, { purpose: 'handle' })
    await keepCase(found).catch(() => undefined)
    return { found, at: null }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // No longer this worker's to see: the copy goes too.
    if (error.status === 403 || error.status === 404) await remove(nameOf(id)).catch(() => undefined)
    const copy = error.offline ? await get<Copy>(nameOf(id)) : null
    if (!copy) throw error
    if (Date.now() - Date.parse(copy.at) <= DAYS * DAY_MS) return copy
    await remove(nameOf(id)).catch(() => undefined)
    throw error
  }
}

/** Keeps what the server said last of a case. */
export async function keepCase(found: CaseDetail): Promise<void> {
  const known = (await get<string[]>(ORDER)) ?? []
  const order = [found.id, ...known.filter((id) => id !== found.id)]
  await put(nameOf(found.id), { at: new Date().toISOString(), found } satisfies Copy)
  await put(ORDER, order.slice(0, MOST))
  for (const id of order.slice(MOST)) await remove(nameOf(id))
}
