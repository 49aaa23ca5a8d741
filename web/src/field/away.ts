// How far something is from here, and in which direction, in words.
import { useI18n } from 'vue-i18n'
import { distance, eighth, here, metres } from './position'

/** `东北 300 米`; empty where one of both places is not known. */
export function useAway() {
  const { t } = useI18n()
  return (to: { lon: number | null; lat: number | null }): string => {
    if (!here.value || to.lon === null || to.lat === null) return ''
    const spot = { lon: to.lon, lat: to.lat }
    const far = distance(metres(here.value, spot))
    return t('today.away', { direction: t(`compass.${eighth(here.value, spot)}`), distance: `${far.value} ${t(`unit.${far.unit}`)}` })
  }
}
