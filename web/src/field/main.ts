// Entry of the field face.
import '@/ui/theme.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { applySettings } from '@/ui/settings'
import App from './App.vue'

configureClient({ face: 'field' })
applySettings()
createApp(App).mount('#app')
