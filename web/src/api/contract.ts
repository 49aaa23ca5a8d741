// Holds the shapes that screens use (`types.ts`) against those the server describes (`schema.d.ts`, generated from its OpenAPI).
// Nothing here runs: a field the server no longer sends, or sends as another kind of thing, fails `npm run check`.
import type { components } from './schema'
import type * as shown from './types'

type Schemas = components['schemas']

/** As the server sends it: a field that may be absent in a request is `null` in an answer; any word may stand for a word. */
type Sent<T> = T extends string
  ? any // a word of the server fits any list of words on a screen
  : T extends (infer Item)[]
    ? Sent<Item>[]
    : T extends object
      ? { [Key in keyof T]-?: Sent<Exclude<T[Key], undefined>> }
      : T

/** Fails to compile unless what the server sends under this name is what the screens expect. */
type Fits<Name extends keyof Schemas, Shown> = Sent<Schemas[Name]> extends Shown ? true : { missing: Exclude<keyof Shown, keyof Schemas[Name]> }
type Hold<T extends true> = T

export type Contract = [
  Hold<Fits<'Me', shown.Me>>,
  Hold<Fits<'HouseholdDetail', shown.HouseholdDetail>>,
  Hold<Fits<'BundleView', shown.Bundle>>,
  Hold<Fits<'VisitView', shown.Visit>>,
  Hold<Fits<'UnownedList', shown.UnownedDuties>>,
  Hold<Fits<'LookView', shown.Look>>,
  Hold<Fits<'RegisterView', shown.CareRegister>>,
  Hold<Fits<'DuplicateView', shown.DuplicatePerson>>,
  Hold<Fits<'PatrolDays', shown.PatrolDays>>,
  Hold<Fits<'PatrolView', shown.Patrol>>,
  Hold<Fits<'TrackInput', shown.Track>>,
  Hold<Fits<'ProjectView', shown.Project>>,
  Hold<Fits<'ProjectBrief', shown.ProjectBrief>>,
  Hold<Fits<'ProjectBoardView', shown.ProjectBoard>>,
  Hold<Fits<'CampaignTaskView', shown.CampaignTask>>,
  Hold<Fits<'StandingView', shown.CampaignStanding>>,
  Hold<Fits<'CaseBrief', shown.CaseBrief>>,
  Hold<Fits<'ReportView', shown.CaseReport>>,
  Hold<Fits<'ClockView', shown.CaseClock>>,
  Hold<Fits<'CoHandlerView', shown.CoHandler>>,
  Hold<Fits<'RequestView', shown.CaseRequest>>,
  Hold<Fits<'AnswerView', shown.Answer>>,
  Hold<Fits<'VerificationView', shown.VerificationView>>,
  Hold<Fits<'ActionView', shown.ActionView>>,
  Hold<Fits<'Suggestion', shown.Suggestion>>,
  Hold<Fits<'Caller', shown.Caller>>,
  Hold<Fits<'Counts', shown.CaseCounts>>,
  Hold<Fits<'Explanation', shown.ClockExplanation>>,
  Hold<Fits<'NoticeView', shown.Notice>>,
  Hold<Fits<'AddressView', shown.AddressHit>>,
  Hold<Fits<'UnitView', shown.Unit>>,
  Hold<Fits<'PartnerView', shown.Partner>>,
  Hold<Fits<'PartnerUseView', shown.PartnerUse>>,
  Hold<Fits<'YearView', shown.YearView>>,
  Hold<Fits<'PeerView', shown.Peer>>,
  Hold<Fits<'PeerRefusalView', shown.PeerRefusal>>,
  Hold<Fits<'HandoverView', shown.Handover>>,
  Hold<Fits<'HandoverMessageView', shown.HandoverMessage>>,
  Hold<Fits<'CaseHandovers', shown.CaseHandovers>>,
  Hold<Fits<'WebhookView', shown.Webhook>>,
  Hold<Fits<'WebhookMessageView', shown.WebhookMessage>>,
  Hold<Fits<'ChannelSettings', shown.ChannelSettings>>,
  Hold<Fits<'TextMessage', shown.TextMessage>>,
  Hold<Fits<'TrialLine', shown.TrialLine>>,
  Hold<Fits<'BadgeView', shown.BadgeCheck>>,
  Hold<Fits<'PublicStatus', shown.PublicStatus>>,
  Hold<Fits<'Outcomes', shown.Outcomes>>,
  Hold<Fits<'Verdict', shown.ReceiptCheck>>,
  Hold<Fits<'BoardView', shown.BoardView>>,
  Hold<Fits<'FunnelView', shown.FunnelView>>,
  Hold<Fits<'AgeingView', shown.AgeingView>>,
  Hold<Fits<'TeamView', shown.Team>>,
  Hold<Fits<'TeamFigures', shown.TeamFigures>>,
  Hold<Fits<'MediationView', shown.MediationView>>,
  Hold<Fits<'FollowUpView', shown.FollowUp>>,
  Hold<Fits<'OrderBrief', shown.OrderBrief>>,
  Hold<Fits<'ShareView', shown.OrderShare>>,
  Hold<Fits<'ShareItem', shown.ShareItem>>,
  Hold<Fits<'OrderRef', shown.OrderRef>>,
  Hold<Fits<'MigrationView', shown.ClockMigration>>,
  Hold<Fits<'MigratedClock', shown.MigratedClock>>,
  Hold<Fits<'JobItem', shown.Job>>,
  Hold<Fits<'OutboxItem', shown.OutboxItem>>,
  Hold<Fits<'ExportView', shown.ExportView>>,
  Hold<Fits<'ProblemView', shown.PackProblem>>,
  Hold<Fits<'ImportedYear', shown.ImportedYear>>,
]
