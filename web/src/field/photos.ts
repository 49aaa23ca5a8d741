// Photos on the phone: sealed at once, sent in the background, so that neither a broken line nor a closed page loses one.
// A photo not yet sent goes by `local:ID`; `uploaded` gives the server's id for it. Entry points: `keepPhoto`, `uploaded`.
import { newId } from '@/api/ids'
import { uploadFile } from '@/ui/upload'
import { get, getBytes, put, putBytes, remove } from './vault'

const LOCAL = 'local:'
const RETRY_DELAYS_MS = [0, 1000]

interface About {
  name: string
  type: string
  modified: number
}

/** Uploads under way or done, so that a photo goes over the line once. */
const uploads = new Map<string, Promise<string>>()

export { isLocal } from './sync/outbox'

/** Seals a photo on this phone and begins to send it; gives its local id. */
export async function keepPhoto(file: File): Promise<string> {
  const id = LOCAL + newId()
  await putBytes(`photo/${id}`, await file.arrayBuffer())
  await put(`about/${id}`, { name: file.name, type: file.type, modified: file.lastModified } satisfies About)
  void uploaded(id).catch(() => undefined)
  return id
}

/** The server's id of a photo of this phone; rejects as offline without signal, with the server's sentence when refused. */
export function uploaded(id: string): Promise<string> {
  const known = uploads.get(id)
  if (known) return known
  const going = send(id)
  uploads.set(id, going)
  going.catch(() => uploads.delete(id))
  return going
}

/** What was sent is no longer there: the next `uploaded` sends it anew. */
export function forgetUpload(id: string) {
  uploads.delete(id)
}

async function send(id: string): Promise<string> {
  const [bytes, about] = [await getBytes(`photo/${id}`), await get<About>(`about/${id}`)]
  if (!bytes || !about) throw new Error('the photo is no longer on this phone')
  const file = new File([bytes], about.name, { type: about.type, lastModified: about.modified })
  return uploadFile(file, { endpoint: '/uploads', retryDelaysMs: RETRY_DELAYS_MS, onProgress: () => undefined }).done
}

export async function dropPhoto(id: string): Promise<void> {
  uploads.delete(id)
  await Promise.all([remove(`photo/${id}`), remove(`about/${id}`)]).catch(() => undefined)
}

