// Sends one file so that a broken connection costs nothing: the tus protocol, resumed where it stopped.
// Entry point: `uploadFile`. The protocol library is loaded with the first file.
import { API, ApiError, clientHeaders, offlineText, signedInAgain } from '@/api/client'

export interface UploadTask {
  /** The upload id, usable as an attachment; rejects with a sentence for people when it finally fails. */
  done: Promise<string>
  cancel(): void
}

export interface UploadOptions {
  /** Residents have their own door. */
  endpoint: '/uploads' | '/portal/uploads'
  onProgress(share: number): void
  /** Waits between attempts; how patient to be with a broken line. */
  retryDelaysMs?: number[]
}

const CHUNK_BYTES = 1024 * 1024
const RETRY_DELAYS_MS = [0, 1000, 3000, 6000, 12000]

export function uploadFile(file: File, options: UploadOptions): UploadTask {
  let task = attempt(file, options)
  const done = task.done.catch(async (error) => {
    if (!(error instanceof ApiError) || error.code !== 'unauthenticated' || !(await signedInAgain())) throw error
    task = attempt(file, options)
    return task.done
  })
  return { done, cancel: () => task.cancel() }
}

function attempt(file: File, options: UploadOptions): UploadTask {
  let abort = () => {}
  const done = import('tus-js-client').then(
    ({ Upload }) =>
      new Promise<string>((resolve, reject) => {
        const upload = new Upload(file, {
          endpoint: API + options.endpoint,
          chunkSize: CHUNK_BYTES,
          retryDelays: options.retryDelaysMs ?? RETRY_DELAYS_MS,
          headers: clientHeaders(),
          metadata: { filename: file.name, mime: file.type },
          removeFingerprintOnSuccess: true,
          onProgress: (sent, total) => options.onProgress(total ? sent / total : 0),
          onError: (error) => reject(refusal(error)),
          onSuccess: () => resolve(idOf(upload.url)),
        })
        abort = () => void upload.abort(true)
        void upload.findPreviousUploads().then((previous) => {
          if (previous[0]) upload.resumeFromPreviousUpload(previous[0])
          upload.start()
        })
      }),
  )
  return { done, cancel: () => abort() }
}

function idOf(url: string | null): string {
  return (url ?? '').split('?')[0].replace(/\/+$/, '').split('/').pop() ?? ''
}

/** The server's own refusal when it gave one; without an answer, that the line is broken. */
function refusal(error: Error): ApiError {
  const response = 'originalResponse' in error ? (error.originalResponse as { getBody(): string; getStatus(): number } | null) : null
  if (!response) return new ApiError(0, 'offline', offlineText())
  const status = response.getStatus()
  try {
    const { code, message } = JSON.parse(response.getBody())
    if (typeof message === 'string') return new ApiError(status, String(code), message)
  } catch {
    // Not ours: fall through to what can be said of any failure.
  }
  return new ApiError(status, `http_${status}`, `${offlineText()} (${status})`)
}
