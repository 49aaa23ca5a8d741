// Builds the three faces as three pages. The server serves portal.html at `/`, desk.html at `/desk/` and field.html at
// `/field/`; the dev server below answers the same paths and passes `/api` to a running server.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, type Plugin } from 'vite'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }
const path = (p: string) => fileURLToPath(new URL(p, import.meta.url))

/** In development, answers `/desk/...` with desk.html and so on, as the server does. */
function faces(): Plugin {
  return {
    name: 'faces',
    configureServer(server) {
      server.middlewares.use((req, _res, next) => {
        const url = req.url ?? '/'
        const isPage = !/\.[a-z0-9]+(\?|$)/i.test(url) && !url.startsWith('/api') && !url.startsWith('/@')
        if (isPage) {
          if (url.startsWith('/desk')) req.url = '/desk.html'
          else if (url.startsWith('/field')) req.url = '/field.html'
          else req.url = '/portal.html'
        }
        next()
      })
    },
  }
}

/** Writes field/worker.js: the service worker with the list of files that the field face needs, the map left out. */
function fieldWorker(): Plugin {
  const SOURCE = path('./src/field/worker.js')
  const LATER = /maplibre|GlMap/
  return {
    name: 'field-worker',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const entry = Object.values(bundle).find((c) => c.type === 'chunk' && c.isEntry && c.name === 'field')
      const files = new Set(['/icon.svg', '/icon-192.png', '/field.webmanifest'])
      const todo = entry ? [entry.fileName] : []
      const seen = new Set<string>()
      for (let name = todo.pop(); name; name = todo.pop()) {
        const chunk = bundle[name]
        if (seen.has(name) || LATER.test(name) || chunk?.type !== 'chunk') continue
        seen.add(name)
        files.add(`/${name}`)
        const meta = chunk as typeof chunk & { viteMetadata?: { importedCss: Set<string> } }
        for (const css of meta.viteMetadata?.importedCss ?? []) files.add(`/${css}`)
        todo.push(...chunk.imports, ...chunk.dynamicImports)
      }
      const list = [...files].sort()
      const source = readFileSync(SOURCE, 'utf8')
      const version = createHash('sha256').update(source + list.join()).digest('hex').slice(0, 12)
      const filled = source.replace('__VERSION__', `'${version}'`).replace('__FILES__', JSON.stringify(list))
      this.emitFile({ type: 'asset', fileName: 'field/worker.js', source: filled })
    },
  }
}

export default defineConfig({
  appType: 'mpa',
  plugins: [
    vue(),
    // Components of Element Plus (desk only) are imported one by one where a template names them.
    Components({ dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })], dts: 'components.d.ts' }),
    faces(),
    fieldWorker(),
  ],
  resolve: { alias: { '@': path('./src') } },
  define: { __APP__: JSON.stringify(version), __VUE_OPTIONS_API__: true, __VUE_PROD_DEVTOOLS__: false, __VUE_I18N_LEGACY_API__: false },
  build: {
    target: 'es2022',
    sourcemap: false,
    // Read by scripts/size.mjs.
    manifest: true,
    // No inline data: the content security policy allows scripts and fonts from the own origin only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: { portal: path('./portal.html'), desk: path('./desk.html'), field: path('./field.html') },
    },
  },
  server: {
    port: 5173,
    proxy: { '/api': { target: process.env.WANGGE_SERVER ?? 'http://127.0.0.1:8080', changeOrigin: false } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
} as import('vitest/config').ViteUserConfig)
