// Bugs like those of the field, planted into phone, line or server: the campaign must find each of them, or it proves nothing.
import { ApiError } from '@/api/client'
import type { Entry, Store, Wire } from '@/field/sync/outbox'
import type { Phone } from './phone'

export interface Bug {
  name: string
  store?: (store: Store) => Store
  wire?: (wire: Wire, phone: Phone) => Wire
  after?: (phone: Phone) => Promise<void>
  /** The phone does not send although it is told to. */
  silent?: (phone: Phone) => boolean
  /** The key of the next thing done. */
  key?: (key: string) => string
  /** Shows itself only when the server is set back. */
  onRestore?: boolean
}

const syncing = (wire: Wire, sync: Wire['sync']): Wire => ({ ...wire, sync })
const copied = <T>(value: T): T => structuredClone(value)

export const BUGS: Bug[] = [
  {
    name: 'acknowledged before it is committed',
    wire: (wire) => {
      let n = 0
      return syncing(wire, async (batch) => {
        if (batch.operations.length && n++ % 3 === 1) {
          const said = await wire.sync({ ...batch, operations: [] })
          return { ...said, receipts: batch.operations.map((one) => ({ id: one.id, number: one.number, verdict: 'done', received_at: said.now })) }
        }
        return wire.sync(batch)
      })
    },
  },
  {
    name: 'no idempotency: each sending is another operation',
    wire: (wire, phone) => {
      let n = 0
      return syncing(wire, async (batch) => {
        const back = new Map<string, string>()
        const sent = copied(batch)
        for (const one of sent.operations) {
          const id = `${one.id}.${phone.restarts}.${n++}`
          back.set(id, one.id)
          one.id = id
          const body = one.body as Record<string, unknown>
          if (body.action_id) body.action_id = id
        }
        const said = await wire.sync(sent)
        return { ...said, receipts: said.receipts.map((receipt) => ({ ...receipt, id: back.get(receipt.id)! })) }
      })
    },
  },
  {
    name: 'forgotten as soon as it is sent',
    wire: (wire, phone) =>
      syncing(wire, async (batch) => {
        for (const one of batch.operations) await phone.outbox.remove(phone.outbox.entries.find((entry) => entry.id === one.id)!.key)
        return wire.sync(batch)
      }),
  },
  {
    name: 'shown as saved before it is on the disk',
    store: (store) => ({ ...store, put: async (name, value) => (name.startsWith('unsent/') ? void setTimeout(() => void store.put(name, value), 20) : store.put(name, value)) }),
  },
  {
    name: 'one that is refused blocks the rest',
    wire: (wire, phone) => {
      const blocked = () => phone.outbox.entries.some((entry) => entry.state === 'held')
      return syncing(wire, async (batch) => {
        if (blocked()) throw new ApiError(0, 'offline', 'blocked')
        const said = await wire.sync(batch)
        const first = said.receipts.findIndex((receipt) => receipt.kept_as)
        return first < 0 ? said : { ...said, receipts: said.receipts.slice(0, first + 1) }
      })
    },
  },
  {
    name: 'nothing is sent again until something new is written',
    silent: (phone) => {
      const entries = phone.outbox.entries
      const before = Number(phone.disk.get('bug.seen') ?? 0)
      phone.disk.set('bug.seen', String(entries.length))
      return entries.length === before
    },
  },
  {
    name: 'the life of the database is not looked at',
    onRestore: true,
    wire: (wire) => syncing(wire, async (batch) => ({ ...(await wire.sync({ ...batch, epoch: undefined, received: 0 })), epoch: 1, seen: 1_000_000 })),
  },
  {
    name: 'what the server does not know is deleted',
    onRestore: true,
    wire: (wire, phone) =>
      syncing(wire, async (batch) => {
        const said = await wire.sync(batch)
        const absent = (entry: Entry) => entry.state === 'sent' && entry.number > said.seen
        for (const entry of phone.outbox.entries.filter(absent)) await phone.outbox.remove(entry.key)
        return said
      }),
  },
  {
    name: 'batches are sent out of order',
    wire: (wire) =>
      syncing(wire, async (batch) => {
        const said = await wire.sync({ ...batch, operations: [...batch.operations].reverse() })
        return { ...said, receipts: [...said.receipts].reverse() }
      }),
  },
  {
    name: 'the phone is believed about the time',
    wire: (wire) => {
      let now: string | null = null
      return syncing(wire, async (batch) => {
        if (now === null) now = (await wire.sync({ ...batch, operations: [] })).now
        return wire.sync({ ...batch, sent_at: now })
      })
    },
  },
  {
    name: 'what is refused disappears',
    after: async (phone) => {
      for (const entry of phone.outbox.entries.filter((one) => one.state === 'held')) await phone.outbox.remove(entry.key)
    },
  },
  {
    name: 'sent in the name of whoever is signed in',
    wire: (wire, phone) =>
      syncing(wire, (batch) => {
        for (const entry of phone.outbox.entries) entry.account = phone.account()
        return wire.sync(batch)
      }),
  },
  {
    name: 'two things done have one id',
    key: (key) => key.slice(0, 5),
  },
  {
    name: 'what somebody else changed meanwhile is written over',
    wire: (wire) =>
      syncing(wire, (batch) => {
        const sent = copied(batch)
        for (const one of sent.operations) delete (one.body as Record<string, unknown>).row_version
        return wire.sync(sent)
      }),
  },
]
