// `open311` as published on npm, against a server: what its users do. Usage: client.js URL KEY AREA
// Its two XML libraries can no longer be installed (one left GitHub, one does not compile); JSON does not use them.
const assert = require('node:assert')
const Open311 = require('open311')

const [url, key, address_id] = process.argv.slice(2)
const asked = (client, what, ...args) =>
  new Promise((done, failed) => client[what](...args, (error, data) => (error ? failed(Object.assign(new Error(data), { status: error })) : done(data))))

async function main() {
  const client = new Open311({ discovery: `${url}/open311/v2/discovery.json`, apiKey: key })
  const discovered = await asked(client, 'serviceDiscovery', { cache: true })
  assert(discovered.endpoints.length, 'an endpoint of this specification, in production, was found')
  // The address a server has inside a test or a demo is not always the one it announces.
  client.endpoint = `${url}/open311/v2/`

  const services = await asked(client, 'serviceList')
  const attributed = services.find((s) => String(s.metadata) === 'true')
  if (attributed) assert.equal((await asked(client, 'serviceDefinition', attributed.service_code)).service_code, attributed.service_code)

  const { service_code } = services.find((s) => String(s.metadata) !== 'true')
  const description = 'node-open311 says: 井盖坏了 & "晃动"'
  const numbers = []
  for (const where of ['东门', '西门']) {
    const [made] = await asked(client, 'submitRequest', { service_code, address_id, description: description + where, attributes: { NOTE: ['a', 'b'] } })
    numbers.push(made.service_request_id ?? (await asked(client, 'token', made.token))[0].service_request_id)
  }
  const [one] = await asked(client, 'serviceRequest', numbers[0])
  assert.equal(one.service_request_id, numbers[0])
  assert(one.description.startsWith(description), one.description)
  assert(one.requested_datetime instanceof Date && !Number.isNaN(one.requested_datetime.getTime()), 'its dates are dates')
  const both = await asked(client, 'serviceRequests', numbers, {})
  assert.deepEqual(both.map((r) => r.service_request_id).sort(), [...numbers].sort())
  const open = await asked(client, 'serviceRequests', { status: 'open', service_code })
  assert(open.length >= 2 && open.every((r) => r.status === 'open'))

  const stranger = new Open311({ endpoint: client.endpoint, apiKey: 'nonsense' })
  await assert.rejects(asked(stranger, 'submitRequest', { service_code, description, address_id }), { status: 403 })
  console.log(`open311 0.0.12 (Node): ${services.length} services, ${numbers.join(' and ')} reported and read back`)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
