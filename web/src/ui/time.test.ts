import { describe, expect, it } from 'vitest'
import { civilDate, dateTime, dueText, dueTone, shortTime, spanText } from './time'

const at = (text: string) => Date.parse(text)

describe('times in Asia/Shanghai', () => {
  it('gives the civil date of Shanghai, not of the computer', () => {
    expect(civilDate('2026-02-13T17:00:00Z')).toBe('2026-02-14')
  })
  it('leaves out the year only when it is this year', () => {
    expect(dateTime('2026-02-14T09:30:00+08:00', 'zh-CN', at('2026-05-01T00:00:00Z'))).toBe('2月14日 09:30')
    expect(dateTime('2025-02-14T09:30:00+08:00', 'zh-CN', at('2026-05-01T00:00:00Z'))).toContain('2025')
  })
  it('shows only the clock for today', () => {
    expect(shortTime('2026-02-14T09:05:00+08:00', 'zh-CN', at('2026-02-14T12:00:00+08:00'))).toBe('09:05')
  })
})

describe('deadlines in words', () => {
  const now = at('2026-02-14T09:00:00+08:00')
  it('says what is left', () => {
    expect(dueText('2026-02-15T12:00:00+08:00', now, 'zh-CN')).toBe('还剩 1 天 3 小时')
    expect(dueText('2026-02-15T12:00:00+08:00', now, 'en')).toBe('1 d 3 h left')
  })
  it('says how late it is', () => {
    expect(dueText('2026-02-14T07:00:00+08:00', now, 'zh-CN')).toBe('已超时 2 小时')
  })
  it('never shows minutes beside days, nor an empty span', () => {
    expect(spanText(24 * 3_600_000 + 5 * 60_000, 'zh-CN')).toBe('1 天')
    expect(spanText(10_000, 'zh-CN')).toBe('不到 1 分钟')
  })
  it('has three tones', () => {
    expect(dueTone('2026-02-14T08:59:00+08:00', now)).toBe('late')
    expect(dueTone('2026-02-14T12:00:00+08:00', now)).toBe('soon')
    expect(dueTone('2026-02-15T12:00:00+08:00', now)).toBe('fine')
    expect(dueTone(null, now)).toBe('none')
  })
})
