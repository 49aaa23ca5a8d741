// What the installation is, asked once per page load; absent while the server cannot be reached.
import { ref } from 'vue'
import { api } from '@/api/client'
import type { Place } from '@/api/types'

export const place = ref<Place | null>(null)
let asking: Promise<void> | undefined

export function loadPlace(): Promise<void> {
  asking ??= api.get<Place>('/place').then(
    (found) => void (place.value = found),
    () => void (asking = undefined),
  )
  return asking
}
