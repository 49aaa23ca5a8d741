// Entry of the field face, for grid workers on their phones: words, session, routes, what is not yet sent. The page itself
// opens without signal (worker.js).
import '@/ui/theme.css'
import '@/ui/phone.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { createFaceI18n } from '@/i18n'
import zh from '@/i18n/zh-CN/field'
import { waitForSignIn } from '@/ui/again'
import { applySettings, lang } from '@/ui/settings'
import App from './App.vue'
import { makeRouter } from './router'
import { forgetSession, me } from './session'
import { clearIfLost } from './sync/lost'
import { loadPatrol } from './patrol/model'
import { loadUnsent } from './unsent'

/** A line slower than this counts as broken: what is typed waits on the phone instead of the worker at the kerb. */
const PATIENCE_MS = 12_000

async function start() {
  applySettings()
  const i18n = await createFaceI18n(zh, () => import('@/i18n/en/field'), 'field.title')
  const router = makeRouter()
  configureClient({
    face: 'field',
    lang: () => lang.value,
    offlineText: () => i18n.text('error.offline'),
    patienceMs: PATIENCE_MS,
    signedInAgain: async () => {
      // Nobody worked here yet: the page is only being opened. A phone given up for lost shows nothing more.
      if (me.value && !(await clearIfLost())) return waitForSignIn()
      forgetSession()
      const here = router.currentRoute.value
      if (here.name !== 'login') void router.push({ name: 'login', query: { next: here.fullPath } })
      return false
    },
  })
  await loadUnsent()
  await loadPatrol()
  createApp(App).use(i18n.plugin).use(router).mount('#app')
}

void start()
if (import.meta.env.PROD) void navigator.serviceWorker?.register('/field/worker.js').catch(() => undefined)
