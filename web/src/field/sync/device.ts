// What kind of phone this is, for its worker to know it by in the list of phones.

const SYSTEMS: [RegExp, string][] = [[/HarmonyOS/, 'HarmonyOS'], [/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Macintosh/, 'macOS'], [/Linux/, 'Linux']]
const BROWSERS: [RegExp, string][] = [[/MicroMessenger/, '微信'], [/Edg/, 'Edge'], [/Firefox/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari']]

const first = (of: [RegExp, string][], agent: string) => of.find(([seen]) => seen.test(agent))?.[1]

export const deviceName = (agent: string): string => [first(SYSTEMS, agent), first(BROWSERS, agent)].filter(Boolean).join(' · ') || agent.slice(0, 40)
