// The same cache under Keyv and under cache-manager. Prints:
//   1
//   made
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import { RatMemCache } from 'rat-memcached'
import { KeyvStore } from 'rat-memcached/keyv'

const cache = await RatMemCache.builder().preset('memoryOnly').build()
const keyv = new Keyv({ store: new KeyvStore(cache), namespace: 'numbers' })
await keyv.set('one', 1, 60_000)
console.log(await keyv.get('one'))
const manager = createCache({ stores: [new Keyv({ store: new KeyvStore(cache) })] })
console.log(await manager.wrap('key', () => 'made'))
await cache.shutdown()
