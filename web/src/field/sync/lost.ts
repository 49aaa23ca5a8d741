// A phone that is lost, or was long out of touch, does not keep what it was told. What was done on it and not yet sent stays, sealed, for its worker.
// Entry points: `inTouch`, `forgetWhenStale`, `clearIfLost`, `clearLost`.
import { api } from '@/api/client'
import { forgetSeen, get, names, put, remove } from '../vault'

const DEVICE = 'device/'
const CONTACT = 'contact'
/** What the server said is kept for so long without a contact. */
const LEASE_DAYS = 7
const DAY_MS = 86_400_000

/** The server answered just now. */
export async function inTouch() {
  await put(CONTACT, Date.now()).catch(() => undefined)
}

/** Too long out of touch: what the server said goes. Call before anything is shown. */
export async function forgetWhenStale(now = Date.now()) {
  const last = await get<number>(CONTACT)
  if (last !== null && Math.abs(now - last) > LEASE_DAYS * DAY_MS) await forgetSeen()
}

/** Signed out by the server: whether the phone was given up for lost, and is clear now. It is asked without a session, which a lost phone has not. */
export async function clearIfLost(): Promise<boolean> {
  let cleared = false
  for (const name of await names(DEVICE)) {
    const of = await get<{ device: string }>(name)
    const standing = of && (await api.get<{ revoked: boolean }>(`/portal/devices/${of.device}`).catch(() => null))
    if (!of || !standing?.revoked) continue
    await clear(name, of.device)
    cleared = true
  }
  return cleared
}

/** The server says that this account's phone was given up for lost. */
export async function clearLost(account: string) {
  const of = await get<{ device: string }>(DEVICE + account)
  if (of) await clear(DEVICE + account, of.device)
}

async function clear(name: string, device: string) {
  await forgetSeen()
  // Signed in again it is another phone.
  await remove(name)
  await api.post(`/portal/devices/${device}/wiped`).catch(() => undefined)
}
