// What the administrators' lists call by key, in words; a key without words is shown as it is.
import { useI18n } from 'vue-i18n'

const BROWSERS: [RegExp, string][] = [
  [/MicroMessenger/, '微信'],
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/Windows/, 'Windows'],
  [/Mac OS/, 'macOS'],
  [/Linux/, 'Linux'],
]
const first = (list: [RegExp, string][], text: string) => list.find(([of]) => of.test(text))?.[1]

/** Browser and system of a user agent; either may be unknown. */
export const deviceOf = (agent: string) => ({ browser: first(BROWSERS, agent), system: first(SYSTEMS, agent) })

export function useRecordWords() {
  const { t, te } = useI18n()
  const words = (group: string, key: string) => {
    const path = `${group}.${key.replaceAll('.', '_')}`
    return te(path) ? t(path) : key
  }
  return {
    action: (key: string) => words('recordAction', key),
    purpose: (key: string) => (key === 'unstated' ? '—' : words('purpose', key)),
    field: (key: string) => words('recordField', key),
    job: (key: string) => words('jobKind', key),
    subjectKind: (key: string) => words('recordSubject', key),
    /** `case:0192…` -> what it is, and the beginning of its id. */
    subject(text: string) {
      const [kind, id = ''] = text.split(':')
      return { kind: words('recordSubject', kind), id: id.slice(-8) }
    },
    device(agent: string) {
      const { browser, system } = deviceOf(agent)
      return browser ? t('device.on', { browser, system: system ?? '' }).replace(/[，,]\s*$/, '') : t('device.other')
    },
  }
}
