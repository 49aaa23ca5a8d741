// Whom this worker is paired with: as the server told it last, also without signal.
// Entry points: `loadPairs`, `pairs`, `pairOf`.
import { ref } from 'vue'
import { api } from '@/api/client'
import type { MyPair } from '@/api/types'
import { remembered } from '../vault'

export const pairs = ref<MyPair[]>([])

/** Asks the server; without signal, what it said last. */
export async function loadPairs(): Promise<void> {
  pairs.value = await remembered('pairs', () => api.get<MyPair[]>('/pairings/mine', { purpose: 'visit' }))
}

export const pairOf = (resident: string) => pairs.value.find((one) => one.resident_id === resident)
