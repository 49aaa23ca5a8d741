// A session that ends while somebody works must not cost what they typed: the page stays, they sign in again over it
// (`SignInAgain.vue`), and what was asked meanwhile goes on. Entry points: `waitForSignIn`, `goOn`.
import { ref } from 'vue'

/** The session has ended; whoever was here has to sign in again. */
export const ended = ref(false)
/** Counts how often that has happened, for what has to begin anew (the live stream). */
export const renewed = ref(0)
let waiting: ((again: boolean) => void)[] = []

/** True once the same person has signed in again, false when they left. */
export function waitForSignIn(): Promise<boolean> {
  ended.value = true
  return new Promise((resolve) => waiting.push(resolve))
}

export function goOn(again: boolean) {
  const all = waiting
  waiting = []
  ended.value = false
  if (again) renewed.value++
  for (const resolve of all) resolve(again)
}
