// Files of maps: which are accepted, and how they are sent.

/** What a map may be chosen from: GeoJSON, a GeoPackage, a zipped shapefile. */
export const MAP_FILES = '.geojson,.json,.gpkg,.zip'

const TYPES: Record<string, string> = { gpkg: 'application/geopackage+sqlite3', zip: 'application/zip', json: 'application/geo+json', geojson: 'application/geo+json' }

const ending = (name: string) => name.split('.').pop()?.toLowerCase() ?? ''

/** The media type of a map by its name; none for other files. */
export const mapType = (name: string): string | undefined => TYPES[ending(name)]

/** Whether a file may hold several layers. */
export const hasLayers = (name?: string) => ['gpkg', 'zip'].includes(ending(name ?? ''))

/** A file as text: as it is, or as a data URL where it is not text. */
export function mapText(file: File): Promise<string> {
  if (!hasLayers(file.name)) return file.text()
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error ?? new Error(file.name))
    reader.readAsDataURL(file)
  })
}
