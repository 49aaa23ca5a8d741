// What the screens of campaigns share: a question in words, and the numbers of an empty draft.
import type { CampaignPerson, CampaignPrepared, CampaignQuestion } from '@/api/types'

export const MOST_PEOPLE = 3
export const MOST_ASKS = 8
export const MOST_CHOICES = 6
export const MOST_AGE = 130
export const MOST_TEXT = 60

type T = (key: string, named?: Record<string, unknown>) => string
type Registers = CampaignPrepared['registers']

function age(person: CampaignPerson, t: T): string {
  const { age_from: from, age_to: to } = person
  if (from !== undefined && to !== undefined) return t('campaigns.age.between', { from, to })
  if (from !== undefined) return t('campaigns.age.from', { from })
  return to === undefined ? '' : t('campaigns.age.under', { under: to + 1 })
}

/** `三岁以下的孩子`: one person of the question. */
export function personText(person: CampaignPerson, registers: Registers, t: T): string {
  const register = registers.find((r) => r.key === person.register)?.name ?? person.register
  const parts = [age(person, t), person.sex ? t(`campaigns.sex.${person.sex}`) : '', register ? t('campaigns.onRegister', { register }) : '']
  return parts.filter(Boolean).join(t('campaigns.and'))
}

/** The question as a sentence each. */
export function questionText(question: CampaignQuestion, registers: Registers, t: T): string[] {
  if (question.who === 'grids') return [t('campaigns.said.grids')]
  if (question.who === 'facilities') return [t('campaigns.said.facilities', { of: question.of ?? '' })]
  const { floor_from: floor, lift, size_from: from, size_to: to } = question
  const said = [
    floor === undefined ? '' : t('campaigns.said.floor', { floor }),
    lift === undefined ? '' : t(lift ? 'campaigns.said.lift' : 'campaigns.said.noLift'),
    from === undefined ? '' : t('campaigns.said.sizeFrom', { from }),
    to === undefined ? '' : t('campaigns.said.sizeTo', { to }),
    ...question.with.map((p) => t('campaigns.said.with', { who: personText(p, registers, t) })),
    ...question.without.map((p) => t('campaigns.said.without', { who: personText(p, registers, t) })),
  ].filter(Boolean)
  return said.length ? said : [t('campaigns.said.everybody')]
}

/** What is sent: fields left empty are left out, and somebody of whom nothing is said. */
export function cleaned(question: CampaignQuestion): CampaignQuestion {
  const filled = <T extends object>(of: T) => Object.fromEntries(Object.entries(of).filter(([, v]) => v !== undefined && v !== null && v !== '')) as T
  const people = (all: CampaignPerson[]) => all.map(filled).filter((person) => Object.keys(person).length)
  if (question.who !== 'households') return filled({ who: question.who, of: question.who === 'facilities' ? question.of : undefined, with: [], without: [] })
  return { ...filled(question), of: undefined, with: people(question.with), without: people(question.without) }
}
