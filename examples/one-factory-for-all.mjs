// A thousand calls at once, and one factory; then the factory fails, and all have the older value. Prints:
//   1 run, 1000 times report 1
//   2 runs, 1000 times report 1
import { RatMemCache } from 'rat-memcached'

const cache = await RatMemCache.builder().preset('memoryOnly').build()
let runs = 0

async function report({ stale }) {
  runs++
  if (stale !== undefined) throw new Error('the database is away')
  return `report ${runs}`
}

const ask = () => cache.getOrSet('report', report, { ttl: '50ms', grace: '6h', softTimeout: '2s' })
const askAll = () => Promise.all(Array.from({ length: 1000 }, ask))

const first = await askAll()
console.log(`${runs} run, ${first.length} times ${[...new Set(first)].join()}`)
await new Promise((resolve) => setTimeout(resolve, 60))
const second = await askAll()
console.log(`${runs} runs, ${second.length} times ${[...new Set(second)].join()}`)
await cache.shutdown()
