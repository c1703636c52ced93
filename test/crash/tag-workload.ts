/**
 * A program that is to be killed: stores values with tags and invalidates tags, under load, and writes to
 * its standard output what it begins (`>`) and what is done (`<`). `tags.test.ts` starts it.
 *
 *     FOLDER SEED FIRST     FIRST is the number of its first value
 */
import { writeSync } from 'node:fs'
import { RatMemCache } from '../../src/index.ts'

const KEYS = 400
const TAGS = 8
/** Of the steps, one in so many invalidates. */
const INVALIDATES = 120
const IN_FLIGHT = 8
const PADDING = 'x'.repeat(3000)

const [folder = '', seed = '1', first = '1'] = process.argv.slice(2)
const cache = await RatMemCache.builder()
  .l1({ maxMemory: '1MB' })
  .l2({ dataDir: folder, maxDiskSize: '64MB', writeInterval: 15 })
  .server({ maxItemSize: '256KB' })
  .build()

let state = Number(seed)
let next = Number(first)

/** A small generator of Park and Miller, so that a seed says what was played. */
function random(below: number): number {
  state = (state * 48_271) % 2_147_483_647
  return state % below
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

async function work(): Promise<never> {
  for (;;) {
    // Others want their turn, the writer of the disk tier above all.
    await new Promise((resolve) => setImmediate(resolve))
    const number = next++
    const tag = random(TAGS)
    if (random(INVALIDATES) === 0) {
      say(`> invalidate ${tag} ${number}`)
      await cache.invalidateTags(`tag${tag}`)
      say(`< invalidate ${tag} ${number}`)
    } else {
      const key = random(KEYS)
      say(`> set ${key} ${number} ${key % TAGS}`)
      await cache.set(`key${key}`, `${number} ${PADDING}`, { tags: [`tag${key % TAGS}`] })
      say(`< set ${key} ${number} ${key % TAGS}`)
    }
  }
}

say('ready')
await Promise.all(Array.from({ length: IN_FLIGHT }, work))
