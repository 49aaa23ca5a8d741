// Reads what a resident chose or pasted: a receipt, or null when it is something else. Says nothing about its truth.
import type { Receipt } from '@/api/types'

const TEXTS = ['number', 'report_id', 'received_at', 'body_sha256', 'salt', 'root_hash', 'public_key'] as const

export function parseReceipt(text: string): Receipt | null {
  let value: unknown
  try {
    // Some phones put a byte order mark before a file's text.
    value = JSON.parse(text.replace(/^\uFEFF/, '').trim())
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const r = value as Record<string, unknown>
  const shaped =
    typeof r.version === 'number' &&
    TEXTS.every((key) => typeof r[key] === 'string') &&
    isObject(r.record) &&
    isObject(r.tree_head) &&
    Array.isArray(r.inclusion)
  return shaped ? (value as Receipt) : null
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
