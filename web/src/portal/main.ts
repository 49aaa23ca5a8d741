// Entry of the portal, the face for residents: words, routes, then the page. Kept small: see scripts/size.mjs.
import '@/ui/theme.css'
import '@/ui/phone.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { createFaceI18n } from '@/i18n'
import zh from '@/i18n/zh-CN/portal'
import { applySettings, lang } from '@/ui/settings'
import App from './App.vue'
import { makeRouter } from './router'

async function start() {
  applySettings()
  const i18n = await createFaceI18n(zh, () => import('@/i18n/en/portal'), 'portal.title')
  configureClient({ face: 'portal', lang: () => lang.value, offlineText: () => i18n.text('error.offline') })
  createApp(App).use(i18n.plugin).use(makeRouter()).mount('#app')
}

void start()
