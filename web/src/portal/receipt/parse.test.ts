import { expect, test } from 'vitest'
import { parseReceipt } from './parse'

const whole = {
  version: 1, number: 'N', report_id: 'r', received_at: 't', body_sha256: 'a', salt: 'b', root_hash: 'c', public_key: 'd',
  record: {}, tree_head: {}, inclusion: [],
}

test('a receipt is read, also with a byte order mark and blanks around it', () => {
  expect(parseReceipt(`\uFEFF  ${JSON.stringify(whole)}\n`)?.number).toBe('N')
})

test('anything else is not a receipt', () => {
  for (const text of ['', 'abc', 'null', '[]', '{}', '"x"', JSON.stringify({ ...whole, inclusion: 'x' }), JSON.stringify({ ...whole, salt: 1 })]) {
    expect(parseReceipt(text), text).toBeNull()
  }
})
