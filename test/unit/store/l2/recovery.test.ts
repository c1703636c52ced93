/** Damage on disk: what is damaged is lost, the rest serves, and nothing stale comes of it. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { METRIC } from '../../../../src/observe/metrics.ts'
import { Generation } from '../../../../src/store/l2/generation.ts'
import { seededWords } from '../../../helpers/store.ts'
import { MISS, Tiers, hitText, quickFolder, setText } from '../../../helpers/tiers.ts'
import { refusal } from '../../../helpers/trouble.ts'

const SETTINGS = { 'l2.max_disk_size': '16MB', 'compression.enabled': 'false' }
const RUNS = Number(process.env['DAMAGE_RUNS'] ?? 8)

const ANY_FILE = /gen-\d+\/.*(?:ldb|log|MANIFEST-\d+|CURRENT)$/
/** What LevelDB has finished. Of what it was writing it takes the end to be torn, and says nothing. */
const TABLES = /gen-\d+\/.*(?:ldb|CURRENT)$/

function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .toSorted()
}

/** Some generations of random commands, and what the clients know then. */
async function filled(
  folder: string,
  seed: number,
): Promise<{ tiers: Tiers; known: Map<string, string> }> {
  const words = seededWords(seed)
  const tiers = await Tiers.open(folder, { settings: SETTINGS })
  const known = new Map<string, string>()
  for (let i = 0; i < 700; i++) {
    const key = `k${words() % 150}`
    if (words() % 5 === 0) {
      await tiers.ask(`delete ${key}\r\n`)
      known.delete(key)
    } else {
      const value = `${i}-`.padEnd(words() % 20_000, 'v')
      await tiers.ask(setText(key, value))
      known.set(key, value)
    }
    if (i % 7 === 0) await tiers.written()
    if (i % 100 === 0) tiers.evictAll()
  }
  return { tiers, known }
}

/** Compares all keys; returns how many are gone. */
async function checkAll(tiers: Tiers, known: ReadonlyMap<string, string>): Promise<number> {
  let lost = 0
  for (let i = 0; i < 150; i++) {
    const reply = await tiers.ask(`get k${i}\r\n`)
    const value = known.get(`k${i}`)
    if (reply === MISS) {
      if (value !== undefined) lost++
    } else {
      assert.equal(reply, value === undefined ? MISS : hitText(`k${i}`, value))
    }
  }
  return lost
}

/** Lets every generation tell its newest directory and no other. */
function loseDirectories(t: TestContext): { mock: { restore(): void } } {
  type Tell = Generation['directoriesBackwards']
  const tell: Tell = Reflect.get(Generation.prototype, 'directoriesBackwards')
  return t.mock.method(
    Generation.prototype,
    'directoriesBackwards',
    async function* (this: Generation) {
      for await (const directory of tell.call(this)) {
        yield directory
        yield undefined
      }
    },
  )
}

describe('damage', () => {
  for (const isClean of [true, false]) {
    it(`anywhere in a file of LevelDB costs items and never truth, after a ${isClean ? 'clean stop' : 'crash'}`, async (t) => {
      const root = quickFolder(t)
      const words = seededWords(isClean ? 3 : 4)
      for (let i = 0; i < 8; i++) words()
      const { tiers, known } = await filled(`${root}/data`, 5)
      if (isClean) await tiers.close()
      let lostInAll = 0
      for (let run = 0; run < RUNS; run++) {
        const folder = `${root}/${run}`
        tiers.crashTo(folder)
        const files = filesIn(folder, isClean ? ANY_FILE : TABLES)
        const path = files[words() % files.length]!
        const bytes = readFileSync(path)
        const kind = words() % 3
        if (kind === 0) {
          for (let i = 0; i < 20; i++) bytes[words() % bytes.length]! ^= 0xff
          writeFileSync(path, bytes)
        } else if (kind === 1) {
          writeFileSync(path, bytes.subarray(0, words() % (bytes.length + 1)))
        } else {
          rmSync(path)
        }
        const what = `${path.slice(folder.length)}, ${['flipped', 'cut', 'removed'][kind]}`
        // Once, and again after a crash of the process that found the damage.
        let opened = await Tiers.open(folder, { settings: SETTINGS })
        try {
          lostInAll += await checkAll(opened, known)
          opened.crashTo(`${folder}+`)
          await opened.close()
          opened = await Tiers.open(`${folder}+`, { settings: SETTINGS })
          await checkAll(opened, known)
        } catch (error) {
          throw new Error(`${what}: ${String(error)}`, { cause: error })
        } finally {
          await opened.close()
        }
      }
      t.diagnostic(`${RUNS} damages lost ${lostInAll} of ${RUNS * known.size} items`)
      assert.ok(lostInAll > 0 && lostInAll < RUNS * known.size)
      if (!isClean) await tiers.close()
    })
  }

  it('in one record is a miss of one item, and counted', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(root, { settings: SETTINGS })
    for (const key of ['a', 'b', 'c']) await tiers.ask(setText(key, `value of ${key}`))
    await tiers.written()
    tiers.evictAll()
    const read = Reflect.get(Generation.prototype, 'read')
    t.mock.method(
      Generation.prototype,
      'read',
      async function (this: Generation, numbers: readonly number[]) {
        const packs = await read.call(this, numbers)
        for (const pack of packs) {
          const at = pack?.indexOf('value of b') ?? -1
          if (at >= 0) pack!.write('X', at)
        }
        return packs
      },
    )
    assert.equal(await tiers.ask('get b\r\n'), MISS)
    assert.equal(tiers.count(METRIC.L2_BAD_RECORDS), 1)
    assert.equal(await tiers.ask('get a\r\n'), hitText('a', 'value of a'))
    assert.equal(await tiers.ask('get c\r\n'), hitText('c', 'value of c'))
    await tiers.close()
  })

  it('that was met once counts after a crash, too, when it cannot be seen any more', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(`${root}/0`)
    for (const key of ['k', 'x', 'y', 'z']) {
      await tiers.ask(setText(key, 'old'))
      await tiers.written()
    }
    tiers.crashTo(`${root}/1`)
    await tiers.close()
    const lost = loseDirectories(t)
    const second = await Tiers.open(`${root}/1`)
    await second.recovered()
    // Nothing says that anything of it is to be noted as stale.
    assert.equal(await second.ask('delete k\r\n'), 'NOT_FOUND\r\n')
    assert.equal(await second.ask('get z\r\n'), hitText('z', 'old'))
    await second.ask(setText('later', 'x'))
    await second.written()
    await second.ask(setText('later', 'y'))
    await second.written()
    second.crashTo(`${root}/2`)
    await second.close()
    lost.mock.restore()
    const third = await Tiers.open(`${root}/2`)
    assert.equal(await third.ask('get k\r\n'), MISS)
    assert.equal(await third.ask('get later\r\n'), hitText('later', 'y'))
    await third.close()
  })

  it('keeps nobody waiting where what is given up cannot be removed', async (t) => {
    const root = quickFolder(t)
    const { tiers } = await filled(`${root}/0`, 6)
    tiers.crashTo(`${root}/1`)
    await tiers.close()
    loseDirectories(t)
    const refused = t.mock.method(Generation, 'destroy', () => Promise.reject(refusal()))
    const second = await Tiers.open(`${root}/1`, { settings: SETTINGS })
    assert.equal(await second.ask('get nothing\r\n'), MISS)
    assert.ok(refused.mock.callCount() > 0)
    await second.close()
  })
})
