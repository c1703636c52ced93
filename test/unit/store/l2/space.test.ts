/** The cap on the disk, under churn. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { METRIC } from '../../../../src/observe/metrics.ts'
import { Generation } from '../../../../src/store/l2/generation.ts'
import { until } from '../../../helpers/library.ts'
import { turns } from '../../../helpers/server.ts'
import { seededWords } from '../../../helpers/store.ts'
import { MISS, Tiers, bytesIn, hitText, quickFolder, setText } from '../../../helpers/tiers.ts'
import { refusal, troubleWrites } from '../../../helpers/trouble.ts'

const CAP_BYTES = 16 * 2 ** 20
const SETTINGS = {
  // Large values would leave memory by themselves, and push nothing out of it.
  'performance.large_value_threshold': '1GB',
  'l2.max_disk_size': '16MB',
  'compression.enabled': 'false',
}
/** How many times the cap is written. */
const TURNS = Number(process.env['CAP_TURNS'] ?? 3)

describe('the cap on the disk', () => {
  for (const [what, lengthOf] of [
    ['small values', (word: number) => 400 + (word % 800)],
    ['values of some kilobytes', (word: number) => 500 + (word % 8000)],
    ['values from bytes to near the largest', (word: number) => 2 ** (word % 20)],
  ] as const) {
    it(`holds after every batch, with ${what}`, async (t) => {
      const words = seededWords(7)
      let mostBytes = 0
      let batches = 0
      const write = Reflect.get(Generation.prototype, 'write')
      let folder = ''
      t.mock.method(
        Generation.prototype,
        'write',
        async function (this: Generation, ...args: Parameters<Generation['write']>) {
          await write.apply(this, args)
          batches++
          if (batches % 4 === 0) mostBytes = Math.max(mostBytes, bytesIn(folder))
        },
      )
      const tiers = await Tiers.open(quickFolder(t), {
        settings: { ...SETTINGS, 'l2.max_staged': '1MB' },
      })
      folder = tiers.folder
      let bytes = 0
      for (let i = 0; bytes < TURNS * CAP_BYTES; i++) {
        const length = Math.min(lengthOf(words()), CAP_BYTES / 16)
        await tiers.ask(setText(`k${i}`, 'v'.repeat(length)))
        bytes += length + 60
        if (i % 50 === 0) await tiers.ask(`get k${i >> 1}\r\n`)
      }
      await tiers.written()
      assert.ok(batches > 50)
      t.diagnostic(`at most ${((mostBytes / CAP_BYTES) * 100).toFixed(1)} % of the cap`)
      assert.ok(mostBytes <= CAP_BYTES * 1.1, `${mostBytes / CAP_BYTES} of the cap`)
      assert.ok(mostBytes > CAP_BYTES * 0.6, 'and it is used')
      assert.ok(tiers.count(METRIC.L2_DROPPED) > 0)
      await tiers.close()
      assert.ok(bytesIn(folder) <= CAP_BYTES * 1.1)
    })
  }

  it('keeps what is read, forgets what is not, and brings nothing back', async (t) => {
    const tiers = await Tiers.open(quickFolder(t), { settings: SETTINGS })
    for (const key of ['read', 'unread', 'deleted', 'replaced']) {
      await tiers.ask(setText(key, 'first'))
    }
    await tiers.ask(setText('expired', 'first', 1))
    await tiers.written()
    const filler = 'f'.repeat(20_000)
    for (let i = 0; tiers.tier.l2.list.slots[0]!.number < 10; i++) {
      await tiers.ask(setText(`filler${i}`, filler))
      if (i === 100) {
        await tiers.ask('delete deleted\r\n')
        await tiers.ask(setText('replaced', 'second'))
        tiers.clock.advance(2)
      }
      if (i % 10 !== 0) continue
      await tiers.written()
      assert.equal(await tiers.ask('get read\r\n'), hitText('read', 'first'), `${i}`)
      if (i % 100 === 0) tiers.evictAll()
    }
    assert.equal(await tiers.ask('get unread\r\n'), MISS)
    await tiers.close()
    const again = await Tiers.open(tiers.folder, { settings: SETTINGS, clock: tiers.clock })
    assert.equal(await again.ask('get read\r\n'), hitText('read', 'first'))
    for (const key of ['deleted', 'expired', 'unread']) {
      assert.equal(await again.ask(`get ${key}\r\n`), MISS)
    }
    const replaced = await again.ask('get replaced\r\n')
    assert.ok(replaced === MISS || replaced === hitText('replaced', 'second'), replaced)
    await again.close()
  })
})

describe('the oldest generation', () => {
  const filler = 'f'.repeat(100_000)

  it('does not come back with what is forgotten when a crash stops its removal', async (t) => {
    const root = quickFolder(t)
    const settings = { ...SETTINGS, 'l2.max_staged': '64MB' }
    const tiers = await Tiers.open(`${root}/data`, { settings })
    await tiers.ask(setText('deleted', 'old') + setText('replaced', 'old'))
    await tiers.written()
    // Closing comes between forgetting and removing.
    const close: Generation['close'] = Reflect.get(Generation.prototype, 'close')
    const waiting: (() => void)[] = []
    const held = t.mock.method(Generation.prototype, 'close', async function (this: Generation) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
      return close.call(this)
    })
    const asked: Promise<unknown>[] = []
    for (let i = 0; waiting.length === 0 && i < 400; i++) {
      let isStored = false
      const store = async (): Promise<void> => {
        await tiers.ask(setText(`filler${i}`, filler))
        await tiers.written()
        isStored = true
      }
      asked.push(store())
      // What is asked when the oldest goes may have to wait until it is gone.
      await until(() => isStored || waiting.length > 0)
      await turns(20)
    }
    assert.equal(waiting.length, 1)
    assert.equal(await tiers.ask('delete deleted\r\n'), 'NOT_FOUND\r\n')
    await tiers.ask(setText('replaced', 'new'))
    tiers.crashTo(`${root}/crash`)
    held.mock.restore()
    waiting[0]!()
    const crashed = await Tiers.open(`${root}/crash`, { settings })
    assert.equal(await crashed.ask('get deleted replaced\r\n'), MISS)
    await crashed.close()
    await Promise.all(asked)
    await tiers.close()
  })

  it('does not come back where its folder cannot be removed', async (t) => {
    const root = quickFolder(t)
    const tiers = await Tiers.open(`${root}/data`, { settings: SETTINGS })
    await tiers.ask(setText('k', 'old'))
    await tiers.written()
    const refused = t.mock.method(Generation, 'destroy', () => Promise.reject(refusal()))
    for (let i = 0; tiers.tier.l2.list.slots[0]!.number === 1; i++) {
      await tiers.ask(setText(`filler${i}`, filler))
      await tiers.written()
    }
    refused.mock.restore()
    assert.equal(await tiers.ask('delete k\r\n'), 'NOT_FOUND\r\n')
    tiers.crashTo(`${root}/crash`)
    for (const each of [tiers, await Tiers.open(`${root}/crash`, { settings: SETTINGS })]) {
      assert.equal(await each.ask('get k\r\n'), MISS)
      await each.close()
    }
    const again = await Tiers.open(`${root}/data`, { settings: SETTINGS })
    assert.equal(await again.ask('get k\r\n'), MISS)
    await again.close()
  })
})

/** Clients that store at once. */
const CLIENTS = 8

/** Tiers with a full disk, the oldest generation of which has been read as a whole. */
async function readThrough(t: TestContext): Promise<Tiers> {
  const tiers = await Tiers.open(quickFolder(t), {
    settings: { ...SETTINGS, 'l2.max_disk_size': '64MB', 'l2.max_staged': '1MB' },
  })
  const value = 'v'.repeat(7000)
  for (let i = 0; tiers.tier.l2.list.slots.length < 7; i++) {
    await tiers.ask(setText(`k${i}`, value))
  }
  await tiers.written()
  const { keys, list } = tiers.tier.l2
  const oldest = list.slots[0]!
  keys.walk(0, 2 ** 20, (entry) => {
    if (keys.generation(entry) === oldest.id) keys.setReferenced(entry)
  })
  assert.ok(keys.referencedOf(oldest.id) > 500)
  return tiers
}

describe('what is carried forward', () => {
  for (const mode of ['hold', 'refuse'] as const) {
    it(`waits in memory no more than may wait, where the disk takes nothing: ${mode}`, async (t) => {
      const tiers = await readThrough(t)
      const { writer, list } = tiers.tier.l2
      const { number } = list.slots[0]!
      let mostBytes = 0
      let isCarrying = false
      const read: Generation['read'] = Reflect.get(Generation.prototype, 'read')
      const writes = troubleWrites(t)
      t.mock.method(
        Generation.prototype,
        'read',
        async function (this: Generation, packs: number[]) {
          // From here on something is being carried.
          if (!isCarrying) writes.mode = mode
          isCarrying = true
          mostBytes = Math.max(mostBytes, writer.stagedBytes)
          return read.call(this, packs)
        },
      )
      const value = 'w'.repeat(7000)
      const asked: Promise<string>[] = []
      // Each client may have one value stored before it has to wait, so there must not be many.
      let waiting = 0
      for (let i = 0; writes.mode === 'none' && i < 5000; i++) {
        waiting++
        asked.push(tiers.ask(setText(`w${i}`, value)).finally(() => waiting--))
        await until(() => waiting < CLIENTS || writes.mode !== 'none')
      }
      assert.equal(writes.mode, mode)
      await turns(300)
      mostBytes = Math.max(mostBytes, writer.stagedBytes)
      assert.ok(mostBytes < 1.5 * 2 ** 20, `${mostBytes} bytes`)
      writes.release()
      await until(() => {
        writer.writeSoon()
        tiers.clock.advance(6)
        return list.slots[0]!.number > number
      })
      await Promise.all(asked)
      await tiers.close()
    })
  }
})

describe('a flush', () => {
  it('leaves a generation alone that a batch is being written to', async (t) => {
    const tiers = await Tiers.open(quickFolder(t))
    const writes = troubleWrites(t)
    await tiers.ask(setText('k', 'old'))
    writes.mode = 'hold'
    const written = tiers.written()
    await until(() => writes.held === 1)
    await tiers.tier.l2.list.add()
    await tiers.ask('flush_all\r\n')
    await turns(50)
    writes.release()
    await written
    await tiers.ask(setText('k', 'new'))
    await tiers.written()
    assert.equal(tiers.count(METRIC.L2_WRITE_ERRORS), 0)
    assert.deepEqual(tiers.logged, [])
    tiers.evictAll()
    assert.equal(await tiers.ask('get k\r\n'), hitText('k', 'new'))
    await tiers.close()
    const again = await Tiers.open(tiers.folder)
    assert.equal(await again.ask('get k\r\n'), hitText('k', 'new'))
    await again.close()
  })
})
