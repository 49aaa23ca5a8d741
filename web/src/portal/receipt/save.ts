// Gives the resident the receipt as a file.
import type { Receipt } from '@/api/types'

export function saveReceipt(receipt: Receipt) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' }))
  link.download = `receipt-${receipt.number}.json`
  document.body.append(link)
  link.click()
  link.remove()
  URL.revokeObjectURL(link.href)
}
