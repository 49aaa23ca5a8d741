// What an authenticator on a phone shows (RFC 6238: SHA-1, 30 seconds, six digits).
import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const STEP_MS = 30_000

function decode(secret: string): Buffer {
  const bits = [...secret.replace(/[^A-Z2-7]/g, '')].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** The six digits for a secret (base 32) at a moment; `steps` later ones for a code not used before. */
export function sixDigits(secret: string, at: number, steps = 0): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS) + steps))
  const hash = createHmac('sha1', decode(secret)).update(counter).digest()
  const offset = hash[hash.length - 1] & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
