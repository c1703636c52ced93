// Values on disk, void at once by a tag, and after a restart as well. Prints:
//   2 of 3 after the tag was invalidated
//   2 of 3 after a restart
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RatMemCache } from 'rat-memcached'

const dataDir = await mkdtemp(join(tmpdir(), 'rat-example-'))
const open = () => RatMemCache.builder().l2({ dataDir, maxDiskSize: '64MB' }).build()
const keys = ['page:1', 'page:2', 'page:3']

const cache = await open()
await cache.set('page:1', '<p>Ada</p>', { tags: ['user:1'] })
await cache.set('page:2', '<p>Grace</p>', { tags: ['user:2'] })
await cache.set('page:3', '<p>About us</p>')
await cache.invalidateTags('user:1')
console.log(`${(await cache.getMany(keys)).size} of 3 after the tag was invalidated`)
await cache.shutdown()

const again = await open()
console.log(`${(await again.getMany(keys)).size} of 3 after a restart`)
await again.shutdown()
await rm(dataDir, { recursive: true })
