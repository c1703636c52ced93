// Opens a cache, stores and reads. Prints:
//   { name: 'Ada' }
//   undefined
//   2
import { RatMemCache } from 'rat-memcached'

const cache = await RatMemCache.builder().preset('memoryOnly').build()
await cache.set('user:1', { name: 'Ada' }, { ttl: '10m' })
console.log(await cache.get('user:1'))
console.log(await cache.get('user:2'))
await cache.set('visits', 1)
console.log(await cache.incr('visits'))
await cache.shutdown()
