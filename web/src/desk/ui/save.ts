// Puts a file the server made into the reader's downloads.
import { api } from '@/api/client'

export async function saveResponse(response: Response, otherwise: string) {
  const named = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1]
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = named ?? otherwise
  link.click()
  URL.revokeObjectURL(link.href)
}

export const download = async (path: string, otherwise: string) => saveResponse(await api.raw(path), otherwise)
