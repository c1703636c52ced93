// A server for the tests of a program: a free port, and its cache at hand. Prints:
//   prepared
import { once } from 'node:events'
import { connect } from 'node:net'
import { startTestServer } from 'rat-memcached/testing'

const server = await startTestServer()
await server.cache.set('k', 'prepared')
const client = connect({ host: server.host, port: server.port })
client.write('get k\r\nquit\r\n')
let reply = ''
client.on('data', (bytes) => (reply += bytes))
await once(client, 'close')
console.log(reply.split('\r\n')[1])
await server.stop()
