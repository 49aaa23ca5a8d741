// The words of one face in both languages. Chinese is loaded with the page, English when it is chosen.
// A key missing in English is a type error: `en/*.ts` is typed by `zh-CN/*.ts`.
import { watch, type Plugin } from 'vue'
import { createI18n } from 'vue-i18n'
import { lang } from '@/ui/settings'
import zhCommon from './zh-CN/common'

type Messages = Record<string, unknown>

/** What vue-i18n gives, without its deep types: keys are plain strings here. */
interface Global {
  locale: { value: string }
  availableLocales: string[]
  setLocaleMessage(locale: string, messages: Messages): void
  t(key: string): string
}

export interface FaceI18n {
  plugin: Plugin
  text(key: string): string
}

/**
 * `zh`: the face's own Chinese words; `loadEn`: its English ones, asked for only when needed; `title`: the key of the
 * page's title.
 */
export async function createFaceI18n(
  zh: Messages,
  loadEn: () => Promise<{ default: Messages }>,
  title: string,
): Promise<FaceI18n> {
  const i18n = createI18n({
    legacy: false,
    locale: 'zh-CN' as string,
    fallbackLocale: 'zh-CN',
    messages: { 'zh-CN': { ...zhCommon, ...zh } } as never,
  })
  const global = i18n.global as unknown as Global
  const show = async (next: string) => {
    if (next === 'en' && !global.availableLocales.includes('en')) {
      const [common, face] = await Promise.all([import('./en/common'), loadEn()])
      global.setLocaleMessage('en', { ...common.default, ...face.default })
    }
    global.locale.value = next
    document.title = global.t(title)
  }
  await show(lang.value)
  watch(lang, (next) => void show(next))
  return { plugin: i18n, text: (key) => global.t(key) }
}
