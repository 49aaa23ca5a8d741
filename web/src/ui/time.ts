// Times as people read them, always in Asia/Shanghai, whatever the computer's own zone is.

const ZONE = 'Asia/Shanghai'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const formats = new Map<string, Intl.DateTimeFormat>()

function format(lang: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(lang, { timeZone: ZONE, ...options })))
  return found
}

/** The civil date in Shanghai, `2026-02-14`. */
export function civilDate(at: string | number | Date): string {
  const parts = format('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(new Date(at))
  const get = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${get('year')}-${get('month')}-${get('day')}`
}

interface Civil {
  year: string
  month: string
  day: string
  clock: string
}

function civil(at: string | number | Date): Civil {
  const parts = format('en-US', {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(at))
  const get = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return { year: get('year'), month: get('month'), day: get('day'), clock: `${get('hour')}:${get('minute')}` }
}

/** `2月14日 09:30` or `14 Feb 09:30`, with the year when it is not this one. */
export function dateTime(at: string | number | null | undefined, lang: string, now = Date.now()): string {
  if (!at) return ''
  const { year, month, day, clock } = civil(at)
  const other = year !== civil(now).year
  if (lang.startsWith('zh')) return `${other ? `${year}年` : ''}${month}月${day}日 ${clock}`
  const name = format('en', { month: 'short' }).format(new Date(at))
  return `${day} ${name}${other ? ` ${year}` : ''} ${clock}`
}

/** `09:30` today, otherwise the date and time. */
export function shortTime(at: string | null | undefined, lang: string, now = Date.now()): string {
  if (!at) return ''
  if (civilDate(at) !== civilDate(now)) return dateTime(at, lang, now)
  return civil(at).clock
}

/** `2026年2月14日` */
export function day(at: string | number, lang: string): string {
  return format(lang, { year: 'numeric', month: 'long', day: 'numeric' }).format(new Date(at))
}

/** `2026年2月14日 星期六` */
export function longDate(at: string | number, lang: string): string {
  return format(lang, { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(new Date(at))
}

/** Days, hours and minutes of a span: the two largest that say something. */
export interface Span {
  days: number
  hours: number
  minutes: number
}

export function span(ms: number): Span {
  const rest = Math.abs(ms)
  const days = Math.floor(rest / DAY)
  const hours = Math.floor((rest % DAY) / HOUR)
  const minutes = Math.floor((rest % HOUR) / MINUTE)
  return { days, hours, minutes: days > 0 ? 0 : minutes }
}

/** `1 天 3 小时`, `2 小时 5 分钟`, `1 d 3 h`. */
export function spanText(ms: number, lang: string): string {
  const { days, hours, minutes } = span(ms)
  const zh = lang.startsWith('zh')
  const parts: string[] = []
  if (days) parts.push(zh ? `${days} 天` : `${days} d`)
  if (hours) parts.push(zh ? `${hours} 小时` : `${hours} h`)
  if (minutes && parts.length < 2) parts.push(zh ? `${minutes} 分钟` : `${minutes} min`)
  if (parts.length === 0) parts.push(zh ? '不到 1 分钟' : 'under 1 min')
  return parts.join(' ')
}

export type DueTone = 'late' | 'soon' | 'fine' | 'none'

/** How a deadline stands: late, within `soon` of it (four hours unless told), or fine. */
export function dueTone(dueAt: string | null | undefined, now: number, soon = 4 * HOUR): DueTone {
  if (!dueAt) return 'none'
  const left = Date.parse(dueAt) - now
  if (left < 0) return 'late'
  return left <= soon ? 'soon' : 'fine'
}

/** `还剩 1 天 3 小时` or `已超时 2 小时`. */
export function dueText(dueAt: string, now: number, lang: string): string {
  const left = Date.parse(dueAt) - now
  const text = spanText(left, lang)
  if (lang.startsWith('zh')) return left < 0 ? `已超时 ${text}` : `还剩 ${text}`
  return left < 0 ? `${text} late` : `${text} left`
}
