// What this phone keeps: each thing sealed (AES-GCM) with a key that scripts can use but never read out, in IndexedDB.
// Entry points: `put`, `get`, `remove`, `names`, and `remembered` for answers of the server that are needed without signal.
// Names say what a thing is (`unsent/…`, `photo/…`, `seen/…`) and are bound into the seal, so that nothing can be swapped.
import { ApiError } from '@/api/client'

const DATABASE = 'wangge-field'
const KEYS = 'key'
const ITEMS = 'item'
const THE_KEY = 'seal'
const IV_BYTES = 12

interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}

const asked = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

let opened: Promise<IDBDatabase> | undefined
function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(KEYS)
      request.result.createObjectStore(ITEMS)
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  opened.catch(() => (opened = undefined))
  return opened
}

const store = async (name: string, mode: IDBTransactionMode) => (await database()).transaction(name, mode).objectStore(name)

/** A change that is on the disk once it resolves, not only handed to the system: what is shown as saved survives a flat battery. */
async function changed(name: string, change: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = (await database()).transaction(name, 'readwrite', { durability: 'strict' })
  change(transaction.objectStore(name))
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = transaction.onerror = () => reject(transaction.error)
  })
}

let made: Promise<CryptoKey> | undefined
/** The key of this phone, made once; the first one stored wins when two pages make one at the same moment. */
function key(): Promise<CryptoKey> {
  made ??= (async () => {
    const known = await asked<CryptoKey | undefined>((await store(KEYS, 'readonly')).get(THE_KEY))
    if (known) return known
    const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    await asked((await store(KEYS, 'readwrite')).add(fresh, THE_KEY)).catch(() => undefined)
    return asked<CryptoKey>((await store(KEYS, 'readonly')).get(THE_KEY))
  })()
  made.catch(() => (made = undefined))
  return made
}

const bound = (name: string, iv: Uint8Array<ArrayBuffer>) => ({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(name) })

/** Seals and keeps bytes; rejects when the phone has no room or the page was not opened over a secure connection. */
export async function putBytes(name: string, bytes: ArrayBuffer): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const data = await crypto.subtle.encrypt(bound(name, iv), await key(), bytes)
  await changed(ITEMS, (items) => items.put({ iv, data } satisfies Sealed, name))
}

/** The bytes kept under a name; null when there are none or the seal does not open. */
export async function getBytes(name: string): Promise<ArrayBuffer | null> {
  try {
    const sealed = await asked<Sealed | undefined>((await store(ITEMS, 'readonly')).get(name))
    return sealed ? await crypto.subtle.decrypt(bound(name, sealed.iv), await key(), sealed.data) : null
  } catch {
    return null
  }
}

export const put = (name: string, value: unknown) => putBytes(name, new TextEncoder().encode(JSON.stringify(value)).buffer)

export async function get<T>(name: string): Promise<T | null> {
  const bytes = await getBytes(name)
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as T) : null
}

export async function remove(name: string): Promise<void> {
  await changed(ITEMS, (items) => items.delete(name))
}

/** The names that begin so. */
export async function names(prefix: string): Promise<string[]> {
  try {
    const all = await asked((await store(ITEMS, 'readonly')).getAllKeys(IDBKeyRange.bound(prefix, `${prefix}\uffff`)))
    return all.map(String)
  } catch {
    return []
  }
}

/** Asks the server; without signal, what it said last time. */
export async function remembered<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    const fresh = await ask()
    await put(`seen/${name}`, fresh).catch(() => undefined)
    return fresh
  } catch (error) {
    const last = error instanceof ApiError && error.offline ? await get<T>(`seen/${name}`) : null
    if (last === null) throw error
    return last
  }
}

/** Forgets what the server said, or some of it; what has not been sent stays. */
export async function forgetSeen(which: (name: string) => boolean = () => true): Promise<void> {
  for (const name of (await names('seen/')).filter(which)) await remove(name).catch(() => undefined)
}
