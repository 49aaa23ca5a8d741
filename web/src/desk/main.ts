// Entry of the desk, the face for staff at a computer: words, session, routes, then the page.
import '@/ui/theme.css'
import './desk.css'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import { ApiError, configureClient } from '@/api/client'
import { createFaceI18n } from '@/i18n'
import zh from '@/i18n/zh-CN/desk'
import { waitForSignIn } from '@/ui/again'
import { applySettings, lang } from '@/ui/settings'
import App from './App.vue'
import { makeRouter } from './router'
import { forgetSession, me } from './session'

const STALE_MS = 10_000

async function start() {
  applySettings()
  const i18n = await createFaceI18n(zh, () => import('@/i18n/en/desk'), 'desk.title')
  const router = makeRouter()
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: STALE_MS,
        refetchOnWindowFocus: true,
        // A refusal will be the same refusal; only a missing server is worth asking again.
        retry: (count, error) => error instanceof ApiError && error.offline && count < 2,
      },
    },
  })
  configureClient({
    face: 'desk',
    lang: () => lang.value,
    offlineText: () => i18n.text('error.offline'),
    signedInAgain: async () => {
      // Nobody worked here yet: the page is only being opened.
      if (me.value) return waitForSignIn()
      forgetSession()
      const here = router.currentRoute.value
      if (here.name !== 'login') void router.push({ name: 'login', query: { next: here.fullPath } })
      return false
    },
  })
  createApp(App).use(i18n.plugin).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
}

void start()
