// The doorsteps of campaigns that fall to this phone: the list as the server gave it last, without what is recorded here and waits for signal.
// Entry points: `loadTasks`, `tasks`, `tasksOf`, `resultBody`.
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import type { Campaign, CampaignTask, CampaignToday, Due } from '@/api/types'
import { recorded, errand } from '../duties/model'
import { remembered } from '../vault'

/** One page of the server; a campaign of a grid is one or two. */
const PAGE = 200
const MOST_PAGES = 10

const all = ref<CampaignToday>({ campaigns: [], tasks: [], next: null })

/** What is done at such a subject. */
export const actOf = (kind: Due['subject_kind']) => (kind === 'facility' ? 'check' : kind === 'grid' ? 'patrol' : 'visit')

/** What is still to be done. */
export const tasks = computed(() => all.value.tasks.filter((task) => !recorded.value.has(errand(task.subject_id, actOf(task.subject_kind)))))
/** There are more than this phone was told. */
export const more = computed(() => all.value.next !== null)
/** The campaigns with doors left here, each with those. */
export const campaigns = computed(() =>
  all.value.campaigns.map((campaign) => ({ campaign, tasks: tasks.value.filter((task) => task.campaign_id === campaign.id) })).filter((c) => c.tasks.length),
)

/** Asks the server; without signal, what it said last. */
export async function loadTasks(): Promise<void> {
  all.value = await remembered('campaigns', async () => {
    const found: CampaignToday = { campaigns: [], tasks: [], next: null }
    for (let page = 0; page < MOST_PAGES; page++) {
      const more: CampaignToday = await api.get<CampaignToday>('/campaigns/today', { limit: PAGE, after: found.next ?? undefined })
      found.campaigns.push(...more.campaigns.filter((c) => !found.campaigns.some((known) => known.id === c.id)))
      found.tasks.push(...more.tasks)
      found.next = more.next
      if (!more.next) break
    }
    return found
  })
}

/** What campaigns want of one errand, recorded here or not. */
export function tasksOf(subject: string, act: string): { campaign: Campaign; task: CampaignTask }[] {
  const mine = all.value.tasks.filter((task) => task.subject_id === subject && actOf(task.subject_kind) === act)
  return mine.flatMap((task) => {
    const campaign = all.value.campaigns.find((c) => c.id === task.campaign_id)
    return campaign ? [{ campaign, task }] : []
  })
}

export interface TaskForm {
  /** By ask: number of the answer. */
  answers: (number | null)[]
  /** Something is still to be done. */
  follow: boolean
  note: string
}

export const emptyTask = (campaign: Campaign): TaskForm => ({ answers: campaign.asks.map(() => null), follow: false, note: '' })

/** Whether an answer chosen calls for more by itself. */
export const callsForMore = (campaign: Campaign, form: TaskForm) => campaign.asks.some((ask, i) => ask.choices[form.answers[i] ?? -1]?.follow)

/** What is sent of a campaign: nothing of it when nobody was met; who comes back asks again only where something is chosen. */
export function resultBody(visit: string, campaign: Campaign, task: CampaignTask, form: TaskForm, met: boolean): Record<string, unknown> {
  if (!met) return { visit_id: visit }
  const silent = form.answers.every((answer) => answer === null)
  const again = task.state === 'follow' && silent
  return { visit_id: visit, answers: again || !campaign.asks.length ? [] : form.answers, follow: form.follow, note: form.note.trim() || undefined }
}
