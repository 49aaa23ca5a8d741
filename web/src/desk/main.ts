// Entry of the desk, the face for staff at a computer.
import '@/ui/theme.css'
import { createApp } from 'vue'
import { configureClient } from '@/api/client'
import { applySettings } from '@/ui/settings'
import App from './App.vue'

configureClient({ face: 'desk' })
applySettings()
createApp(App).mount('#app')
