import type zh from '../zh-CN/disputes'

const en: typeof zh = {
  ageing: 'How old open disputes are',
  ageingWhy: 'Counted from the day of receiving; more than the pack\'s {n} days is piled up. Each number leads to its cases.',
  classes: 'Counted: {names}',
  area: 'Area',
  days: '{from}–{to} days',
  backlog: 'Piled up: over {n} days',
  total: 'All',
  oldest: 'Oldest',
  age: '{n} days',
  whole: '(whole area)',
  none: 'No open disputes.',
  followUps: 'Agreements to look at again',
  followUpsWhy: 'Each agreement is looked at again on its day: is it kept?',
  noFollowUps: 'No agreement waits for its follow-up.',
  due: 'On',
  late: 'Past',
  held: 'Mediations',
  on: '{date} · {who}',
  next: 'Not settled, passed to: {name}',
  climb: 'When this fails it goes to: {name}',
  top: 'This is the last rung; when it fails, tell the parties about arbitration, court and legal aid.',
  follow: 'Look again on {date}',
  record: 'Record the follow-up',
  kept: 'Kept',
  broken: 'Not kept',
  note: 'What was found',
  followed: '{who} looked again on {time}',
}

export default en
