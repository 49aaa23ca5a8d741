// What the state of a matter means for the resident's page.
import type { CaseState } from '@/api/types'

const DONE: readonly CaseState[] = ['answered', 'verified', 'closed', 'declined', 'merged', 'withdrawn']

/** After the answer a deadline says nothing to the resident any more. */
export const mayStillBeLate = (state: CaseState): boolean => !DONE.includes(state)
