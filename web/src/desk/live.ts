// Live updates for the whole desk: one connection, and a quiet refresh of whatever lists are on screen.
import { useQueryClient } from '@tanstack/vue-query'
import { onBeforeUnmount, onMounted, ref } from 'vue'
import { listen, type LiveStream } from '@/api/events'

/** Many events in one moment (an import, a bulk accept) cost one refresh. */
const GATHER_MS = 800

export const live = ref(false)

export function useLive() {
  const queries = useQueryClient()
  let stream: LiveStream | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const touched = new Set<string>()

  const refresh = () => {
    timer = undefined
    for (const topic of touched) {
      if (topic === 'all') void queries.invalidateQueries()
      else void queries.invalidateQueries({ queryKey: [topic] })
    }
    touched.clear()
  }
  const topicKeys: Record<string, string[]> = { case: ['cases', 'case'], cases: ['cases', 'case'], board: ['board'], jobs: ['jobs'], outbox: ['outbox'] }

  onMounted(() => {
    stream = listen(
      ['cases', 'board', 'jobs', 'outbox'],
      (event) => {
        for (const key of topicKeys[event.topic] ?? ['all']) touched.add(key)
        timer ??= setTimeout(refresh, GATHER_MS)
      },
      (state) => (live.value = state),
    )
  })
  onBeforeUnmount(() => {
    stream?.close()
    clearTimeout(timer)
    live.value = false
  })
}
