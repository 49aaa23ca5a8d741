// Photos for the journeys: small pictures made here, each different, so that nothing binary lies in the repository.
import { crc32, deflateSync } from 'node:zlib'

const SIZE = 160

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** A picture of stripes whose colours depend on its name. */
export function photo(name: string) {
  const seed = crc32(Buffer.from(name))
  const rows = Buffer.alloc(SIZE * (1 + SIZE * 3))
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const band = Math.floor((x + y) / 20) % 4
      rows.writeUIntBE((seed >>> (band * 2)) & 0xffffff, y * (1 + SIZE * 3) + 1 + x * 3, 3)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIZE, 0)
  header.writeUInt32BE(SIZE, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const buffer = Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
  return { name: `${name}.png`, mimeType: 'image/png', buffer }
}
