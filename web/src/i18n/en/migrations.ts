import type zh from '../zh-CN/migrations'

const en: typeof zh = {
  why: 'Changing a rule changes no running clock. To make running clocks follow the rules in force, propose it here and look at the preview; it is applied only when another person approves. Each clock gets a mark in the ledger and says so when explained.',
  propose: 'Propose and preview',
  category: 'Which matters (all when empty)',
  step: 'Which step (all when empty)',
  reason: 'Why',
  none: 'Nothing was proposed yet.',
  all: 'All',
  state: { proposed: 'Waits for approval', approved: 'Being applied', done: 'Applied', refused: 'Refused', stale: 'Preview out of date' },
  looked: '{n} running clocks looked through, {touched} would change: {later} later, {earlier} earlier, {late} would be late by it.',
  pack: 'To {pack}',
  by: 'Proposed by {who} on {time}',
  decided: 'Decided by {who} on {time}: {note}',
  own: 'You proposed it: another person must approve.',
  staleWhy: 'Clocks have changed since the preview; please propose it again.',
  result: '{applied} changed, {skipped} had changed meanwhile and were left alone.',
  number: 'Case',
  stepName: 'Step',
  old: 'Old limit',
  fresh: 'New limit',
  oldDue: 'Was due',
  newDue: 'Would be due',
  turnsLate: 'Late by it',
  item: { waiting: '', applied: 'Changed', skipped: 'Left alone' },
  approve: 'Approve',
  refuse: 'Refuse',
  deciding: 'Why it is approved or refused',
  again: 'Propose the same again',
  stepOf: { accept: 'Acceptance', dispatch: 'Dispatch', handle: 'Handling', answer: 'Answer', verify: 'Check' },
}

export default en
