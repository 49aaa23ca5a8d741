// Sends a form: one request at a time, refusals put at their fields, what was typed left as it is.
import { reactive } from 'vue'
import { ApiError } from '@/api/client'

export interface Submit {
  busy: boolean
  /** The sentence for the whole form, empty when the refusal belongs to a field that is shown. */
  message: string
  fields: Record<string, string>
  code: string
  run<T>(work: () => Promise<T>): Promise<T | undefined>
  reset(): void
}

/** `shown`: the fields that the form can mark; refusals of others go into `message`. */
export function useSubmit(shown: string[] = []): Submit {
  const state: Submit = reactive({
    busy: false,
    message: '',
    fields: {},
    code: '',
    reset() {
      state.message = ''
      state.fields = {}
      state.code = ''
    },
    async run<T>(work: () => Promise<T>): Promise<T | undefined> {
      if (state.busy) return undefined
      state.reset()
      state.busy = true
      try {
        return await work()
      } catch (error) {
        refuse(state, error, shown)
        return undefined
      } finally {
        state.busy = false
      }
    },
  })
  return state
}

function refuse(state: Submit, error: unknown, shown: string[]) {
  if (!(error instanceof ApiError)) {
    state.message = error instanceof Error ? error.message : String(error)
    return
  }
  state.code = error.code
  state.fields = error.fields
  const covered = Object.keys(error.fields).filter((f) => shown.includes(f))
  if (covered.length === 0) state.message = error.message
  else {
    const rest = error.details.filter((d) => !shown.includes(d.field)).map((d) => d.message)
    state.message = rest.join(' ')
  }
}
