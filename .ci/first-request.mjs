/**
 * Starts the built server the way `npm start` does, stores and reads a value through the
 * `memcached` client, and stops the server: the least that a release has to do.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import Memcached from 'memcached'

const TIMEOUT_MS = 20_000

const timer = setTimeout(() => {
  console.error(`nothing happened for ${TIMEOUT_MS} ms`)
  server.kill('SIGKILL')
  process.exit(1)
}, TIMEOUT_MS)

const server = spawn(process.execPath, ['dist/bin/rat-memcached.js', '--bind', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const address = await listening()
console.log(`listening on ${address}`)

const client = new Memcached(address)
const set = promisify(client.set.bind(client))
const get = promisify(client.get.bind(client))
const version = promisify(client.version.bind(client))
const value = { greeting: 'hello', at: [1, 2, 3] }
assert.equal(await set('first', value, 60), true)
assert.deepEqual(await get('first'), value)
console.log('stored and read back; the server says it behaves like', (await version())[0].version)
client.end()

server.kill('SIGTERM')
const [status] = await once(server, 'exit')
assert.equal(status, 0)
console.log('stopped with status 0')
clearTimeout(timer)

/** The address in the first line of the log that has one. */
async function listening() {
  let log = ''
  for await (const bytes of server.stdout) {
    log += bytes
    for (const line of log.split('\n').slice(0, -1)) {
      const { msg, addresses } = JSON.parse(line)
      if (msg === 'listening') return addresses[0]
    }
  }
  throw new Error(`the server ended: ${log}`)
}
