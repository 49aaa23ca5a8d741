import { describe, expect, it } from 'vitest'
import { hasLayers, mapText, mapType } from './maps'

describe('files of maps', () => {
  it('knows them by their endings', () => {
    expect(['a.GPKG', 'b.zip', 'c.geojson', 'd.csv'].map(mapType)).toEqual(['application/geopackage+sqlite3', 'application/zip', 'application/geo+json', undefined])
    expect([hasLayers('房屋.gpkg'), hasLayers('a.geojson'), hasLayers(undefined)]).toEqual([true, false, false])
  })

  it('sends text as it is and the rest as a data URL', async () => {
    expect(await mapText(new File(['{}'], 'a.geojson'))).toBe('{}')
    expect(await mapText(new File([new Uint8Array([0, 255])], 'a.gpkg'))).toMatch(/^data:[^,]*;base64,AP8=$/)
  })
})
