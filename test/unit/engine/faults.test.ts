/** Commands that wait for an item on disk, and what happens to the item meanwhile. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { METRIC } from '../../../src/observe/metrics.ts'
import { checkIntegrity } from '../../../src/store/l1/integrity.ts'
import { Generation } from '../../../src/store/l2/generation.ts'
import { turns } from '../../helpers/server.ts'
import { MISS, Tiers, hitText, quickFolder, setText } from '../../helpers/tiers.ts'
import { holdReads, troubleWrites } from '../../helpers/trouble.ts'
import type { HeldReads } from '../../helpers/trouble.ts'

const KEYS = ['a', 'b', 'c', 'd']

/** Some items on disk only, and a disk that answers when it is told to. */
async function onDisk(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<{ tiers: Tiers; held: HeldReads }> {
  const tiers = await Tiers.open(quickFolder(t), { settings })
  for (const key of KEYS) await tiers.ask(setText(key, `value of ${key}`, 0, 5))
  await tiers.written()
  tiers.evictAll()
  const held = holdReads(t)
  return { tiers, held }
}

async function finish(tiers: Tiers): Promise<void> {
  const { unlinked } = checkIntegrity(tiers.cache.store)
  assert.equal(unlinked, 0, 'no chunk is kept by anybody')
  assert.equal(tiers.tier.loadingCount, 0)
  await tiers.close()
}

describe('a key that is asked for on disk', () => {
  it('is read once for all who ask, and together with others of the same turn', async (t) => {
    const { tiers, held } = await onDisk(t)
    const asked = KEYS.flatMap((key) =>
      Array.from({ length: 5 }, async () => {
        assert.equal(await tiers.ask(`get ${key}\r\n`), hitText(key, `value of ${key}`, 5))
      }),
    )
    await turns(5)
    assert.deepEqual([held.calls, held.packs], [1, 1])
    held.release()
    await Promise.all(asked)
    assert.equal(tiers.count(METRIC.L2_HITS), KEYS.length)
    assert.equal(tiers.count(METRIC.GET_HITS), 5 * KEYS.length)
    await finish(tiers)
  })

  for (const [what, change, reply] of [
    ['a set', setText('a', 'newer', 0, 1), hitText('a', 'newer', 1)],
    ['a flush', 'flush_all\r\n', MISS],
    ['a value that is too large', setText('a', 'x'.repeat(1_100_000)), MISS],
  ] as const) {
    it(`is answered as ${what} has left it while it was read`, async (t) => {
      const { tiers, held } = await onDisk(t)
      const asked = tiers.ask('get a\r\n')
      await turns(5)
      await tiers.ask(change)
      held.release()
      assert.equal(await asked, reply)
      assert.equal(await tiers.ask('get a\r\n'), reply)
      await finish(tiers)
    })
  }

  it('is answered in the order in which the commands came', async (t) => {
    const { tiers, held } = await onDisk(t)
    const asked = [
      tiers.ask('get a\r\n'),
      tiers.ask('append a 0 0 1\r\n!\r\n'),
      tiers.ask('get a\r\n'),
      tiers.ask('delete a\r\n'),
      tiers.ask('get a\r\n'),
      tiers.ask('add a 0 0 3\r\nadd\r\n'),
      tiers.ask('get a\r\n'),
    ]
    await turns(5)
    held.release()
    assert.deepEqual(await Promise.all(asked), [
      hitText('a', 'value of a', 5),
      'STORED\r\n',
      hitText('a', 'value of a!', 5),
      'DELETED\r\n',
      MISS,
      'STORED\r\n',
      hitText('a', 'add'),
    ])
    await finish(tiers)
  })

  for (const promotion of ['always', 'second-hit', 'never']) {
    it(`keeps what a command does to it, promotion ${promotion}`, async (t) => {
      const { tiers, held } = await onDisk(t, { 'l2.promotion': promotion })
      held.release()
      await tiers.ask(setText('n', '41', 0, 9))
      await tiers.written()
      tiers.evictAll()
      assert.equal(await tiers.ask('incr n 1\r\n'), '42\r\n')
      assert.equal(await tiers.ask('prepend a 0 0 1\r\n>\r\n'), 'STORED\r\n')
      assert.equal(await tiers.ask('touch b 100\r\n'), 'TOUCHED\r\n')
      await tiers.written()
      tiers.evictAll()
      assert.equal(await tiers.ask('get n\r\n'), hitText('n', '42', 9))
      assert.equal(await tiers.ask('get a\r\n'), hitText('a', '>value of a', 5))
      assert.equal(await tiers.ask('get b\r\n'), hitText('b', 'value of b', 5))
      tiers.clock.advance(100)
      assert.equal(await tiers.ask('get b\r\n'), MISS)
      await finish(tiers)
    })
  }

  it('stays in memory by the rule of promotion', async (t) => {
    for (const [promotion, kept] of [
      ['always', [true, true]],
      ['second-hit', [false, true]],
      ['never', [false, false]],
    ] as const) {
      const { tiers, held } = await onDisk(t, { 'l2.promotion': promotion })
      held.release()
      for (const isKept of kept) {
        await tiers.ask('get a\r\n')
        assert.equal(tiers.cache.store.count, isKept ? 1 : 0, promotion)
      }
      await finish(tiers)
    }
  })

  it('expires while it is read', async (t) => {
    const { tiers, held } = await onDisk(t)
    held.release()
    await tiers.ask(setText('short', 'x', 10))
    await tiers.written()
    tiers.evictAll()
    t.mock.restoreAll()
    const again = holdReads(t)
    const asked = tiers.ask('get short\r\n')
    await turns(5)
    tiers.clock.advance(10)
    again.release()
    assert.equal(await asked, MISS)
    await finish(tiers)
  })

  it('is found although memory is full of values that are being sent', async (t) => {
    const { tiers, held } = await onDisk(t, { 'l1.max_memory': '2MB' })
    held.release()
    const value = 'v'.repeat(300_000)
    for (let i = 0; i < 20; i++) {
      await tiers.ask(setText(`k${i}`, value))
      await tiers.written()
    }
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => tiers.ask(`get k${i}\r\n`)),
    )
    for (const [i, reply] of replies.entries()) assert.ok(reply === hitText(`k${i}`, value), `${i}`)
    await finish(tiers)
  })
})

describe('two keys with the same hash', () => {
  it('are told apart by the record: one of them is a miss, and no other value', async (t) => {
    const { tiers, held } = await onDisk(t)
    held.release()
    const { tier } = tiers
    const { keys } = tier.l2
    const hashOf = (key: string): [number, number] => {
      const bytes = bytesOf(Buffer.from(`${key}\0`))
      return [tier.hashHi(bytes, 0, key.length), tier.hashLo(bytes, 0, key.length)]
    }
    const place = tier.l2.placeOf(keys.find(...hashOf('a')))
    // As if "twin" had the hash of "a".
    keys.setPlace(keys.insert(...hashOf('twin')), place.generation, place.pack, place.offset)
    assert.equal(await tiers.ask('get twin\r\n'), MISS)
    assert.equal(await tiers.ask('incr twin 1\r\n'), 'NOT_FOUND\r\n')
    assert.equal(
      await tiers.ask('get a twin b\r\n'),
      `${hitText('a', 'value of a', 5).slice(0, -5)}${hitText('b', 'value of b', 5)}`,
    )
    assert.equal(await tiers.ask('add twin 0 0 1\r\nx\r\n'), 'STORED\r\n')
    assert.equal(await tiers.ask('get twin\r\n'), hitText('twin', 'x'))
    assert.equal(tiers.count(METRIC.L2_BAD_RECORDS), 0)
    assert.equal(tiers.count(METRIC.L2_MISSES), 4)
    await finish(tiers)
  })
})

/** As a connection asks, which tries whether the item can be had at once. */
function askAtOnce(tiers: Tiers, command: string): Promise<string> {
  // Of the commands of sessions every other one waits.
  tiers.faults = 1
  return tiers.ask(command)
}

function damage(bytes: Buffer | undefined): Buffer | undefined {
  return bytes?.fill(0xff)
}

describe('a key on disk that can be read at once', () => {
  for (const promotion of ['always', 'second-hit', 'never']) {
    it(`is there for the command that wants it, promotion ${promotion}`, async (t) => {
      const { tiers, held } = await onDisk(t, { 'l2.promotion': promotion })
      held.release()
      const kept = { always: [1, 1], 'second-hit': [0, 1], never: [0, 0] }[promotion]!
      for (const count of kept) {
        assert.equal(await askAtOnce(tiers, 'get a\r\n'), hitText('a', 'value of a', 5))
        assert.equal(tiers.cache.store.count, count)
      }
      assert.equal(held.calls, 0, 'nothing went through the pool')
      assert.equal(await askAtOnce(tiers, 'append b 0 0 1\r\n!\r\n'), 'STORED\r\n')
      assert.equal(await askAtOnce(tiers, 'touch c 100\r\n'), 'TOUCHED\r\n')
      assert.equal(await askAtOnce(tiers, 'delete d\r\n'), 'DELETED\r\n')
      await tiers.written()
      tiers.evictAll()
      assert.equal(await askAtOnce(tiers, 'get b\r\n'), hitText('b', 'value of b!', 5))
      assert.equal(await askAtOnce(tiers, 'get c\r\n'), hitText('c', 'value of c', 5))
      assert.equal(await askAtOnce(tiers, 'get d\r\n'), MISS)
      assert.ok(tiers.count(METRIC.L2_READS_INLINE) > 0)
      assert.equal(tiers.count(METRIC.L2_READS_INLINE), tiers.count(METRIC.L2_READS))
      await finish(tiers)
    })
  }

  it('is left to those who wait for it already', async (t) => {
    const { tiers, held } = await onDisk(t)
    const waiting = tiers.ask('get a\r\n')
    await turns(5)
    tiers.faults = 1
    const joined = tiers.ask('append a 0 0 1\r\n!\r\n')
    await turns(5)
    held.release()
    assert.equal(await waiting, hitText('a', 'value of a', 5))
    assert.equal(await joined, 'STORED\r\n')
    assert.equal(held.packs, 1)
    await finish(tiers)
  })

  it('is read through the pool while the disk does not answer', async (t) => {
    const { tiers, held } = await onDisk(t)
    const stuck = tiers.ask('get a\r\n')
    await turns(5)
    // Reading at once would work again; but what was asked for before has not come.
    t.mock.restoreAll()
    tiers.clock.advance(1)
    assert.equal(await askAtOnce(tiers, 'get b\r\n'), hitText('b', 'value of b', 5))
    assert.equal(tiers.count(METRIC.L2_READS_INLINE), 0)
    held.release()
    assert.equal(await stuck, hitText('a', 'value of a', 5))
    assert.equal(await askAtOnce(tiers, 'get c\r\n'), hitText('c', 'value of c', 5))
    assert.equal(tiers.count(METRIC.L2_READS_INLINE), 1)
    await finish(tiers)
  })

  it('is read through the pool while a batch is not written for long', async (t) => {
    const { tiers, held } = await onDisk(t)
    held.release()
    const writes = troubleWrites(t)
    writes.mode = 'hold'
    await tiers.ask(setText('z', 'new'))
    const written = tiers.written()
    await turns(5)
    assert.equal(writes.held, 1)
    assert.equal(await askAtOnce(tiers, 'get a\r\n'), hitText('a', 'value of a', 5))
    assert.equal(tiers.count(METRIC.L2_READS_INLINE), 1)
    tiers.clock.advance(1)
    assert.equal(await askAtOnce(tiers, 'get b\r\n'), hitText('b', 'value of b', 5))
    assert.equal(tiers.count(METRIC.L2_READS_INLINE), 1)
    writes.release()
    await written
    assert.equal(await askAtOnce(tiers, 'get c\r\n'), hitText('c', 'value of c', 5))
    assert.equal(tiers.count(METRIC.L2_READS_INLINE), 2)
    await finish(tiers)
  })

  it('is read through the pool where it is configured so', async (t) => {
    const { tiers, held } = await onDisk(t, { 'l2.inline_reads': 'false' })
    held.release()
    assert.equal(await askAtOnce(tiers, 'get a\r\n'), hitText('a', 'value of a', 5))
    assert.deepEqual([tiers.count(METRIC.L2_READS_INLINE), held.packs], [0, 1])
    await finish(tiers)
  })

  it('is read through the pool where it is damaged, which counts it', async (t) => {
    const { tiers, held } = await onDisk(t)
    held.release()
    t.mock.restoreAll()
    const readNow: Generation['readNow'] = Reflect.get(Generation.prototype, 'readNow')
    const read: Generation['read'] = Reflect.get(Generation.prototype, 'read')
    t.mock.method(Generation.prototype, 'readNow', function (this: Generation, pack: number) {
      return damage(readNow.call(this, pack))
    })
    const damaged = t.mock.method(
      Generation.prototype,
      'read',
      async function (this: Generation, packs: number[]) {
        return (await read.call(this, packs)).map((bytes) => damage(bytes))
      },
    )
    assert.equal(await askAtOnce(tiers, 'get a\r\n'), MISS)
    assert.equal(damaged.mock.callCount(), 1)
    assert.deepEqual([tiers.count(METRIC.L2_BAD_RECORDS), tiers.count(METRIC.L2_HITS)], [1, 0])
    await finish(tiers)
  })

  it('is a miss where memory has no room for it', async (t) => {
    const { tiers, held } = await onDisk(t, { 'l1.max_memory': '2MB' })
    held.release()
    const value = 'v'.repeat(300_000)
    const pinned: number[] = []
    const { store } = tiers.cache
    for (let i = 0; ; i++) {
      const reserved = store.reserve(i, bytesOf(Buffer.from(`p${i}`)), 0, 2, value.length)
      if (reserved === 0) break
      pinned.push(reserved)
    }
    for (let i = 0; ; i++) {
      const reserved = store.reserve(i, bytesOf(Buffer.from(`p${i % 10}`)), 0, 2, 10)
      if (reserved === 0) break
      pinned.push(reserved)
    }
    assert.equal(await askAtOnce(tiers, 'get a\r\n'), MISS)
    assert.equal(tiers.count(METRIC.L2_NO_MEMORY), 1)
    for (const item of pinned) store.abandon(item)
    assert.equal(await askAtOnce(tiers, 'get a\r\n'), hitText('a', 'value of a', 5))
    await finish(tiers)
  })
})
