// Entry of the portal face.
import '@/ui/theme.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { applySettings } from '@/ui/settings'
import App from './App.vue'

configureClient({ face: 'portal' })
applySettings()
createApp(App).mount('#app')
