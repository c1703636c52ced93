/**
 * What a tag made void stays void, whenever the process is killed: a program stores and invalidates, is
 * killed, and the cache that is opened over what it left is asked for every key.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RatMemCache } from '../../src/index.ts'
import { testFolder, until } from '../helpers/library.ts'

const PROGRAM = fileURLToPath(new URL('tag-workload.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KEYS = 400
const ROUNDS = 6
/** A slow machine gets little done in one life: then there are more. */
const ROUNDS_MAX = 30
/** What has to be found, and found void, for the test to have tested something. */
const FOUND_MIN = KEYS / 2
const VOIDED_MIN = KEYS / 8
const LIFE_MIN_MS = 60
const LIFE_MAX_MS = 500

/** When something was begun and done, as places in the order of all lines; Infinity if it never was. */
interface Step {
  readonly begun: number
  done: number
  /** Of a value: its tag. */
  readonly tag: number
}

class History {
  #line = 0
  /** By key, then by the number of the value. */
  readonly sets = new Map<number, Map<number, Step>>()
  readonly invalidations = new Map<number, Map<number, Step>>()

  note(line: string): void {
    const [sign, what, a = '', b = '', c = ''] = line.split(' ')
    const at = ++this.#line
    const group: Map<number, Map<number, Step>> = what === 'set' ? this.sets : this.invalidations
    const steps = group.get(Number(a)) ?? new Map<number, Step>()
    group.set(Number(a), steps)
    if (sign === '<') steps.get(Number(b))!.done = at
    else steps.set(Number(b), { begun: at, done: Infinity, tag: Number(c) })
  }

  /** Why a value must not be there any more, undefined if it may be. */
  objection(key: number, number: number): string | undefined {
    const step = this.sets.get(key)?.get(number)
    if (step === undefined) return 'it was never stored'
    for (const [other, later] of this.sets.get(key)!) {
      if (later.begun > step.done && later.done !== Infinity) return `${other} was stored after it`
    }
    for (const [other, later] of this.invalidations.get(step.tag) ?? []) {
      if (later.begun > step.done && later.done !== Infinity) {
        return `invalidation ${other} of its tag was acknowledged after it`
      }
    }
    return undefined
  }
}

describe('tags and kill -9', () => {
  it(`let no value come back in ${ROUNDS} deaths and more`, async (t) => {
    const folder = testFolder(t)
    const history = new History()
    let next = 1
    let found = 0
    let voided = 0
    const isEnough = (): boolean => found > FOUND_MIN && voided > VOIDED_MIN
    for (let round = 1; round <= ROUNDS || (!isEnough() && round <= ROUNDS_MAX); round++) {
      next = await live(folder, round, next, history)
      const cache = await RatMemCache.builder()
        .l1({ maxMemory: '1MB' })
        .l2({ dataDir: folder, maxDiskSize: '64MB' })
        .server({ maxItemSize: '256KB' })
        .build()
      for (let key = 0; key < KEYS; key++) {
        const value = await cache.get<string>(`key${key}`)
        if (value === undefined) {
          voided += history.sets.has(key) ? 1 : 0
          continue
        }
        found++
        const number = Number.parseInt(value, 10)
        const objection = history.objection(key, number)
        assert.equal(objection, undefined, `round ${round}: key${key} is ${number}: ${objection}`)
      }
      await cache.shutdown()
    }
    assert.ok(isEnough(), `${found} values were there, ${voided} were not`)
  })
})

/** Lets the program live for a while, and kills it. Returns the number for its successor. */
async function live(
  folder: string,
  round: number,
  first: number,
  history: History,
): Promise<number> {
  const args = ['--import', 'tsx', PROGRAM, folder, String(round), String(first)]
  // A file, not a pipe: what was written there is there, however the writer ends.
  const told = join(folder, `../told-${process.pid}-${round}`)
  const file = openSync(told, 'w')
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', file, 'inherit'] })
  closeSync(file)
  const closed = once(child, 'close')
  await until(() => readFileSync(told, 'latin1').startsWith('ready\n'))
  const span = LIFE_MAX_MS - LIFE_MIN_MS
  const lifeMs = LIFE_MIN_MS + ((round * 7919) % span)
  await new Promise((resolve) => setTimeout(resolve, lifeMs))
  child.kill('SIGKILL')
  await closed
  const lines = readFileSync(told, 'latin1').split('\n').slice(1, -1)
  rmSync(told)
  for (const line of lines) history.note(line)
  const last = Math.max(first, ...lines.map((line) => Number(line.split(' ')[3])))
  return last + 1
}
