// Live updates for the whole desk: one connection, and a quiet refresh of whatever lists are on screen.
import { useQueryClient } from '@tanstack/vue-query'
import { onBeforeUnmount, onMounted, ref, watch } from 'vue'
import { listen, type LiveStream } from '@/api/events'
import { renewed } from '@/ui/again'
import { can } from './session'

/** Many events in one moment (an import, a bulk accept) cost one refresh. */
const GATHER_MS = 800

/** What may be listened to with which right, and which lists it refreshes. */
const TOPICS: Record<string, { needs: string; keys: string[] }> = {
  case: { needs: 'case.read', keys: ['cases', 'case', 'board', 'handovers'] },
  board: { needs: 'board.read', keys: ['board'] },
  jobs: { needs: 'job.manage', keys: ['jobs'] },
  outbox: { needs: 'outbox.manage', keys: ['outbox'] },
}

/** None: this account has nothing to listen to. */
export const live = ref<boolean | null>(null)

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
  const topics = Object.keys(TOPICS).filter((topic) => can(TOPICS[topic].needs))

  const start = (missed: boolean) => {
    if (topics.length === 0) return
    stream?.close()
    stream = listen(
      topics,
      (event) => {
        for (const key of TOPICS[event.topic]?.keys ?? ['all']) touched.add(key)
        timer ??= setTimeout(refresh, GATHER_MS)
      },
      (state) => (live.value = state),
      missed,
    )
  }
  onMounted(() => start(false))
  // A stream refused with the session that ended does not come back by itself.
  watch(renewed, () => start(true))
  onBeforeUnmount(() => {
    stream?.close()
    clearTimeout(timer)
    live.value = null
  })
}
