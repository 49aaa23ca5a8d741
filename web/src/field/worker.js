// The service worker of the field face: the page opens without signal. It keeps the program, never an answer of the API:
// what people are told lies sealed in vault.ts. The build writes the list of files in place of the two constants below and
// serves this as /field/worker.js. A new version waits until the old pages are closed, so that no page mixes two programs.
const VERSION = __VERSION__
const FILES = __FILES__
const PAGE = '/field/'
const CACHE = `field-${VERSION}`
/** After this the page kept is shown; a bar of signal that carries nothing must not stop the day. */
const PAGE_WAIT_MS = 3000

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([PAGE, ...FILES])))
})

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith('field-') && name !== CACHE
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return
  if (request.mode === 'navigate') event.respondWith(page())
  else if (url.pathname.startsWith('/assets/') || FILES.includes(url.pathname)) event.respondWith(file(request))
})

/** The page of this version: pages and programs belong together. */
async function page() {
  const kept = await caches.match(PAGE, { cacheName: CACHE })
  const fresh = fetch(PAGE, { cache: 'no-cache', signal: AbortSignal.timeout(PAGE_WAIT_MS) })
  if (!kept) return fresh
  return fresh.then((answer) => (answer.ok ? answer : kept)).catch(() => kept)
}

/** A file with a hash in its name never changes. */
async function file(request) {
  const kept = await caches.match(request, { cacheName: CACHE })
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone())
  return answer
}
