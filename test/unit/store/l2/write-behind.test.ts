/** The writer in trouble: nobody waits for a disk that refuses, nothing is lost without a word. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { METRIC } from '../../../../src/observe/metrics.ts'
import { Generation } from '../../../../src/store/l2/generation.ts'
import { until } from '../../../helpers/library.ts'
import { turns } from '../../../helpers/server.ts'
import { MISS, Tiers, hitText, quickFolder, setText, withPatience } from '../../../helpers/tiers.ts'
import { refusal, troubleWrites } from '../../../helpers/trouble.ts'
import type { Trouble } from '../../../helpers/trouble.ts'

const THROUGH = { 'l2.write_policy': 'write-through' }
const STORED = 'STORED\r\n'
/** Longer than the longest wait before a batch is tried again. */
const RETRY_S = 6

/** Tiers whose disk has refused a batch. */
async function inTrouble(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<{ tiers: Tiers; trouble: Trouble; root: string }> {
  const root = quickFolder(t)
  const trouble = troubleWrites(t)
  const tiers = await Tiers.open(`${root}/data`, { settings })
  await tiers.ask(setText('first', 'old'))
  tiers.evictAll()
  await tiers.written()
  trouble.mode = 'refuse'
  await tiers.ask(setText('second', 'new'))
  if (settings['l2.write_policy'] === 'on-evict') tiers.evictAll()
  await tiers.written()
  assert.equal(tiers.tier.l2.degraded, true)
  return { tiers, trouble, root }
}

/** Lets a refused batch be tried again. */
async function retry(tiers: Tiers): Promise<void> {
  const before = tiers.count(METRIC.L2_WRITE_ERRORS)
  await turns(2)
  tiers.clock.advance(RETRY_S)
  // Opening a generation takes the time of the threads of LevelDB.
  await withPatience('another try', (proceed) => {
    const poll = (): void => {
      if (!tiers.tier.l2.degraded || tiers.count(METRIC.L2_WRITE_ERRORS) > before) proceed()
      else setImmediate(poll)
    }
    poll()
  })
}

describe('a disk that refuses what is written', () => {
  it('keeps nobody waiting: neither who waits when it begins, nor who comes later', async (t) => {
    const root = quickFolder(t)
    const trouble = troubleWrites(t)
    const tiers = await Tiers.open(`${root}/data`, { settings: THROUGH })
    await tiers.recovered()
    trouble.mode = 'refuse'
    assert.equal(await tiers.ask(setText('a', 'before')), STORED)
    assert.equal(await tiers.ask(setText('b', 'after')), STORED)
    assert.equal(await tiers.ask('get a\r\n'), hitText('a', 'before'))
    trouble.mode = 'none'
    await tiers.close()
  })

  it('is written to again by itself, and then has everything', async (t) => {
    const { tiers, trouble, root } = await inTrouble(t)
    await tiers.ask(setText('third', 'x'))
    await retry(tiers)
    assert.equal(tiers.tier.l2.degraded, true)
    trouble.mode = 'none'
    await retry(tiers)
    assert.equal(tiers.tier.l2.degraded, false)
    await tiers.written()
    tiers.crashTo(`${root}/copy`)
    await tiers.close()
    const again = await Tiers.open(`${root}/copy`)
    for (const [key, value] of [
      ['first', 'old'],
      ['second', 'new'],
      ['third', 'x'],
    ] as const) {
      assert.equal(await again.ask(`get ${key}\r\n`), hitText(key, value))
    }
    await again.close()
  })

  for (const policy of ['write-behind', 'write-through', 'on-evict']) {
    it(`leaves nothing stale behind for a crash, ${policy}`, async (t) => {
      const { tiers, trouble, root } = await inTrouble(t, { 'l2.write_policy': policy })
      await tiers.ask(setText('first', 'changed'))
      await tiers.ask('delete second\r\n')
      tiers.crashTo(`${root}/copy`)
      trouble.mode = 'none'
      const again = await Tiers.open(`${root}/copy`)
      assert.equal(await again.ask('get first\r\n'), MISS)
      assert.equal(await again.ask('get second\r\n'), MISS)
      await again.close()
      await tiers.close()
    })
  }

  it('collects no generations, however long it refuses', async (t) => {
    const { tiers, trouble } = await inTrouble(t)
    for (let i = 0; i < 300; i++) await retry(tiers)
    assert.ok(trouble.writes > 250, `${trouble.writes} writes`)
    assert.ok(tiers.tier.l2.list.slots.length <= 2, `${tiers.tier.l2.list.slots.length}`)
    const folders = readdirSync(tiers.folder).filter((name) => name.startsWith('gen-'))
    assert.ok(folders.length <= 3, folders.join(' '))
    trouble.mode = 'none'
    await tiers.close()
  })

  it('makes what finds no room lost, and says so; memory stays bounded', async (t) => {
    const { tiers, trouble } = await inTrouble(t, {
      'l1.max_memory': '2MB',
      'l2.max_staged': '1MB',
      'compression.enabled': 'false',
    })
    const value = 'v'.repeat(10_000)
    for (let i = 0; i < 1000; i++) await tiers.ask(setText(`k${i}`, value))
    assert.ok(tiers.tier.l2.writer.stagedBytes < 2.2 * 2 ** 20)
    assert.ok(tiers.count(METRIC.L2_LOST) > 500)
    trouble.mode = 'none'
    await retry(tiers)
    let hits = 0
    for (let i = 0; i < 1000; i++) {
      const reply = await tiers.ask(`get k${i}\r\n`)
      assert.ok(reply === MISS || reply === hitText(`k${i}`, value))
      if (reply !== MISS) hits++
    }
    assert.equal(hits, 1000 - tiers.count(METRIC.L2_LOST))
    await tiers.close()
  })
})

describe('stopping', () => {
  it('tries a disk in trouble once more', async (t) => {
    const { tiers, trouble } = await inTrouble(t)
    trouble.mode = 'none'
    await tiers.close()
    const again = await Tiers.open(tiers.folder)
    assert.equal(await again.ask('get second\r\n'), hitText('second', 'new'))
    await again.close()
  })

  it('ends where the disk still refuses, and nothing is written after it', async (t) => {
    const { tiers, trouble } = await inTrouble(t)
    await tiers.close()
    const writes = trouble.writes
    const opened = t.mock.method(Generation, 'open')
    for (let i = 0; i < 5; i++) {
      tiers.clock.advance(RETRY_S)
      await turns(20)
    }
    assert.deepEqual([trouble.writes, opened.mock.callCount()], [writes, 0])
  })

  it('is no clean stop where a batch was refused: what it replaced stays void', async (t) => {
    const root = quickFolder(t)
    const trouble = troubleWrites(t)
    const tiers = await Tiers.open(`${root}/data`)
    await tiers.ask(setText('k', 'old'))
    await tiers.written()
    await tiers.ask(setText('k', 'new'))
    trouble.mode = 'refuse'
    await tiers.close()
    trouble.mode = 'none'
    const again = await Tiers.open(tiers.folder)
    assert.equal(await again.ask('get k\r\n'), MISS)
    await again.close()
  })

  it('ends soon after a start, though the disk refuses what the start has to write', async (t) => {
    const root = quickFolder(t)
    const before = await Tiers.open(`${root}/data`)
    await before.ask(setText('k', 'old'))
    await before.written()
    await before.ask(setText('k', 'new'))
    before.crashTo(`${root}/copy`)
    await before.close()
    const trouble = troubleWrites(t)
    trouble.mode = 'refuse'
    const tiers = await Tiers.open(`${root}/copy`)
    await until(() => tiers.tier.l2.degraded)
    await tiers.close()
    trouble.mode = 'none'
    const again = await Tiers.open(`${root}/copy`)
    assert.equal(await again.ask('get k\r\n'), MISS)
    await again.close()
  })
})

describe('a slow disk', () => {
  it('lets who writes wait when enough is staged, loses nothing, and lets readers go on', async (t) => {
    const root = quickFolder(t)
    const trouble = troubleWrites(t)
    const settings = { 'l1.max_memory': '4MB', 'l2.max_staged': '1MB' }
    const tiers = await Tiers.open(`${root}/data`, { settings })
    await tiers.ask(setText('small', 'x'))
    await tiers.written()
    trouble.mode = 'hold'
    let answered = 0
    const value = 'v'.repeat(400_000)
    const sets = Array.from({ length: 40 }, async (_, i) => {
      const reply = await tiers.ask(setText(`k${i}`, value))
      answered++
      return reply
    })
    await turns(20)
    assert.ok(answered < 5, `${answered} were answered`)
    assert.equal(await tiers.ask('get small\r\n'), hitText('small', 'x'))
    trouble.release()
    assert.deepEqual(new Set(await Promise.all(sets)), new Set([STORED]))
    assert.equal(tiers.count(METRIC.L2_LOST), 0)
    assert.ok(tiers.count(METRIC.L2_CONGESTED) >= 35)
    for (let i = 0; i < 40; i++) {
      assert.equal(await tiers.ask(`get k${i}\r\n`), hitText(`k${i}`, value))
    }
    await tiers.close()
  })

  it('does not keep those waiting who waited for room when it turned out to refuse', async (t) => {
    const root = quickFolder(t)
    const trouble = troubleWrites(t)
    const tiers = await Tiers.open(`${root}/data`, { settings: { 'l2.max_staged': '1MB' } })
    await tiers.recovered()
    trouble.mode = 'refuse'
    const value = 'v'.repeat(400_000)
    const sets = Array.from({ length: 10 }, (_, i) => tiers.ask(setText(`k${i}`, value)))
    assert.deepEqual(new Set(await Promise.all(sets)), new Set([STORED]))
    trouble.mode = 'none'
    await tiers.close()
  })

  it('acknowledges what is written through only when it is written', async (t) => {
    const root = quickFolder(t)
    const trouble = troubleWrites(t)
    const tiers = await Tiers.open(`${root}/data`, { settings: THROUGH })
    await tiers.recovered()
    trouble.mode = 'hold'
    let answered = ''
    const ask = async (): Promise<void> => {
      answered = await tiers.ask(setText('k', 'v'))
    }
    const asked = ask()
    await turns(20)
    assert.equal(answered, '')
    assert.equal(trouble.held, 1)
    trouble.release()
    await asked
    assert.equal(answered, STORED)
    await tiers.close()
  })
})

describe('a full generation', () => {
  it('goes on being written while the next one cannot be made, and keeps nobody waiting', async (t) => {
    const root = quickFolder(t)
    const settings = { 'l2.max_disk_size': '16MB', 'compression.enabled': 'false' }
    const tiers = await Tiers.open(`${root}/data`, { settings })
    const open = Generation.open.bind(Generation)
    const isRefused = t.mock.method(Generation, 'open', (...args: Parameters<typeof open>) =>
      args[3] ? Promise.reject(refusal()) : open(...args),
    )
    const value = 'v'.repeat(100_000)
    for (let i = 0; i < 40; i++) {
      await tiers.ask(setText(`k${i}`, value))
      await tiers.written()
    }
    assert.ok(isRefused.mock.callCount() > 5)
    assert.equal(tiers.tier.l2.list.slots.length, 1)
    isRefused.mock.restore()
    await tiers.ask(setText('last', value))
    await tiers.written()
    assert.ok(tiers.tier.l2.list.slots.length > 1)
    for (let i = 0; i < 40; i++) {
      assert.equal(await tiers.ask(`get k${i}\r\n`), hitText(`k${i}`, value))
    }
    await tiers.close()
  })
})
