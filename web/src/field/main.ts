// Entry of the field face, for grid workers on their phones: words, session, routes, what is not yet sent.
import '@/ui/theme.css'
import '@/ui/phone.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { createFaceI18n } from '@/i18n'
import zh from '@/i18n/zh-CN/field'
import { applySettings, lang } from '@/ui/settings'
import App from './App.vue'
import { makeRouter } from './router'
import { forgetSession } from './session'

async function start() {
  applySettings()
  const i18n = await createFaceI18n(zh, () => import('@/i18n/en/field'), 'field.title')
  const router = makeRouter()
  configureClient({
    face: 'field',
    lang: () => lang.value,
    offlineText: () => i18n.text('error.offline'),
    onSignedOut: () => {
      forgetSession()
      if (router.currentRoute.value.name !== 'login') void router.push({ name: 'login', query: { next: router.currentRoute.value.fullPath } })
    },
  })
  createApp(App).use(i18n.plugin).use(router).mount('#app')
}

void start()
