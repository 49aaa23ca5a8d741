// One ticking clock for the whole page, so that every deadline chip changes together.
import { onScopeDispose, readonly, ref } from 'vue'

const TICK_MS = 20_000
const now = ref(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The present, renewed every 20 seconds while somebody watches. */
export function useNow() {
  users += 1
  now.value = Date.now()
  timer ??= setInterval(() => (now.value = Date.now()), TICK_MS)
  onScopeDispose(() => {
    users -= 1
    if (users === 0 && timer) {
      clearInterval(timer)
      timer = undefined
    }
  })
  return readonly(now)
}
