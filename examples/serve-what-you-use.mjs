// One cache, used by this program and by a client of memcached. Prints:
//   VALUE greeting 0 5
//   hello
//   END
import { once } from 'node:events'
import { connect } from 'node:net'
import { RatMemCache, createServer } from 'rat-memcached'

const cache = await RatMemCache.builder().preset('memoryOnly').build()
const server = await createServer(cache, { bind: ['127.0.0.1:0'] })
await cache.set('greeting', 'hello')

const [host, port] = server.addresses[0].split(':')
const client = connect({ host, port: Number(port) })
client.write('get greeting\r\nquit\r\n')
let reply = ''
client.on('data', (bytes) => (reply += bytes))
await once(client, 'close')
console.log(reply.trimEnd().replaceAll('\r', ''))
await cache.shutdown()
