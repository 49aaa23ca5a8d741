// Fails when the first load of the portal's report page is over the bar: the gzipped sum of the page, its scripts and its
// styles, as the build's manifest lists them, without what is loaded later (map, uploads, English words).
// Run after `npm run build`: npm run size
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BAR_BYTES = 150 * 1024
const DIST = new URL('../dist/', import.meta.url)
const ENTRY = 'portal.html'
const PAGE = 'src/portal/report/ReportPage.vue'

if (!existsSync(new URL('.vite/manifest.json', DIST))) {
  console.error('no dist/.vite/manifest.json: run `npm run build` first')
  process.exit(2)
}
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', DIST), 'utf8'))
const files = new Set([ENTRY])
const seen = new Set()

function collect(key) {
  if (seen.has(key)) return
  seen.add(key)
  const chunk = manifest[key]
  if (!chunk) throw new Error(`the manifest has no ${key}`)
  files.add(chunk.file)
  for (const css of chunk.css ?? []) files.add(css)
  for (const next of chunk.imports ?? []) collect(next)
}
collect(ENTRY)
collect(PAGE)

const rows = [...files].map((file) => [gzipSync(readFileSync(new URL(file, DIST)), { level: 6 }).length, file])
rows.sort((a, b) => b[0] - a[0])
const total = rows.reduce((sum, [size]) => sum + size, 0)
for (const [size, file] of rows) console.log(`${String(size).padStart(8)}  ${file}`)
console.log(`${String(total).padStart(8)}  report page, first load, gzipped; the bar is ${BAR_BYTES}`)
if (total > BAR_BYTES) {
  console.error(`over the bar by ${total - BAR_BYTES} bytes`)
  process.exit(1)
}
