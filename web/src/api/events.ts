// Live updates from the server (server-sent events). The browser reconnects by itself; when the connection comes back,
// listeners are told to refresh, because something may have happened in between.
import { API } from './client'

export interface LiveEvent {
  topic: string
  kind: string
  id: string
}

export interface LiveStream {
  close(): void
}

/**
 * Listens to topics within the account's scope; `onState` tells whether the page is live. `missed`: nobody listened for
 * a while, so that its opening counts as a connection that came back.
 */
export function listen(
  topics: string[],
  onEvent: (event: LiveEvent) => void,
  onState: (live: boolean) => void = () => {},
  missed = false,
): LiveStream {
  const source = new EventSource(`${API}/events?topics=${topics.join(',')}`, { withCredentials: true })
  let dropped = missed
  const receive = (message: MessageEvent) => {
    try {
      onEvent(JSON.parse(message.data) as LiveEvent)
    } catch {
      // A message that is not ours says nothing; the next list request is still the truth.
    }
  }
  source.addEventListener('change', receive as EventListener)
  // Something was missed: ask for everything again.
  source.addEventListener('resync', () => onEvent({ topic: 'all', kind: 'resync', id: '' }))
  source.onopen = () => {
    onState(true)
    if (dropped) onEvent({ topic: 'all', kind: 'reconnected', id: '' })
    dropped = false
  }
  source.onerror = () => {
    dropped = true
    onState(false)
  }
  return { close: () => source.close() }
}
