// The follow codes typed in this tab, so that a reload does not ask again. Gone with the tab.
const KEY = 'wangge.portal.codes'

function all(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}

export const codeFor = (number: string): string | undefined => all()[number]

export function keepCode(number: string, code: string) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...all(), [number]: code }))
  } catch {
    // Then it is asked again.
  }
}
