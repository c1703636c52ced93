/**
 * One cache with two million items, in a process of its own: its memory, and the longest pause of the
 * collector while it is filled and used. Started by `main.ts` with the name of the cache.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { CONTENDER_NAMES, open } from './contenders.ts'

const ITEMS = 2_000_000
const VALUE_BYTES = 100
/** Gets and sets of random keys after the filling, half of each. */
const STEPS = 2_000_000
const MIB = 1024 * 1024

const name = CONTENDER_NAMES.find((known) => known === process.argv[2])
if (name === undefined) throw new Error('which cache?')

let longestMs = 0
let totalMs = 0
const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    longestMs = Math.max(longestMs, duration)
    totalMs += duration
  }
})
collect()
const before = process.memoryUsage()
observer.observe({ entryTypes: ['gc'] })
const cache = await open(name, ITEMS)
for (let i = 0; i < ITEMS; i++) {
  await cache.set(`key:${String(i).padStart(8, '0')}`, Buffer.alloc(VALUE_BYTES, i & 0xff))
  // Observers are told between turns.
  if (i % 50_000 === 0) await new Promise((resolve) => setImmediate(resolve))
}
let state = 1
let missed = 0
for (let i = 0; i < STEPS; i++) {
  state = (state * 48_271) % 2_147_483_647
  const key = `key:${String(state % ITEMS).padStart(8, '0')}`
  if (i % 2 === 0) await cache.set(key, Buffer.alloc(VALUE_BYTES, i & 0xff))
  else if (cache.get(key) === undefined) missed++
  if (i % 50_000 === 0) await new Promise((resolve) => setImmediate(resolve))
}
await new Promise((resolve) => setTimeout(resolve, 50))
const pauses = `longest pause ${longestMs.toFixed(1)} ms, all ${totalMs.toFixed(0)} ms`
observer.disconnect()
collect()
const after = process.memoryUsage()
const rss = (after.rss - before.rss) / MIB
const heap = (after.heapUsed - before.heapUsed) / MIB
console.log(
  `  ${name.padEnd(36)} ${rss.toFixed(0)} MiB resident (${Math.round((rss * MIB) / ITEMS)} bytes an item), ` +
    `heap of the runtime ${heap.toFixed(0)} MiB, ${pauses}, ${missed} misses`,
)
await cache.close()

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('start it with --expose-gc')
  globalThis.gc()
}
