/**
 * What must hold after any stop: nothing stale, nothing that was flushed or deleted, nothing that was
 * over, no cas value twice; whatever the disk refused before.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { ServerError } from '../../../../src/errors.ts'
import { ManualClock } from '../../../../src/observe/clock.ts'
import { MACHINE_FILES } from '../../../../src/store/l2/file-system.ts'
import { turns } from '../../../helpers/server.ts'
import { MISS, Tiers, hitText, quickFolder, setText, withPatience } from '../../../helpers/tiers.ts'
import { refusal, troubleWrites } from '../../../helpers/trouble.ts'

/** What tells a write to the journal from one to the state file. */
const JOURNAL_ENTRY_BYTES = 24
const STATE_BYTES = 72
/** Rounds of 50 turns that a beginning takes at most; three as a rule. */
const ROUNDS_MAX = 2000

/** Opens what a crash at this instant would leave. */
async function crash(tiers: Tiers, clock: ManualClock = tiers.clock): Promise<Tiers> {
  const folder = `${tiers.folder}+`
  tiers.crashTo(folder)
  return Tiers.open(folder, { clock })
}

async function open(t: TestContext, settings: Record<string, string> = {}): Promise<Tiers> {
  const tiers = await Tiers.open(`${quickFolder(t)}/data`, { settings })
  await tiers.recovered()
  return tiers
}

async function stored(tiers: Tiers, ...keys: string[]): Promise<void> {
  for (const key of keys) await tiers.ask(setText(key, `value of ${key}`))
  await tiers.written()
}

function valueText(key: string): string {
  return hitText(key, `value of ${key}`)
}

/** Lets the system refuse the journal. The state file is written in its place and needs no room. */
function refuseJournal(t: TestContext): { mock: { callCount(): number; restore(): void } } {
  type Write = (typeof MACHINE_FILES)['writeSync']
  const write: Write = Reflect.get(MACHINE_FILES, 'writeSync')
  return t.mock.method(MACHINE_FILES, 'writeSync', (...args: Parameters<Write>) => {
    if (args[3] % JOURNAL_ENTRY_BYTES === 0 && args[3] !== STATE_BYTES) throw refusal()
    return write(...args)
  })
}

/** The cas value of a key. */
async function casOf(tiers: Tiers, key: string): Promise<number> {
  return Number(/^VALUE \S+ \d+ \d+ (\d+)/.exec(await tiers.ask(`gets ${key}\r\n`))?.[1])
}

describe('after a crash', () => {
  it('a flush holds, at once and at any later start', async (t) => {
    const tiers = await open(t)
    await stored(tiers, 'a', 'b')
    await tiers.ask('flush_all\r\n')
    await tiers.ask(setText('c', 'after'))
    await tiers.written()
    const second = await crash(tiers)
    assert.equal(await second.ask('get a b c\r\n'), hitText('c', 'after'))
    const third = await crash(second)
    assert.equal(await third.ask('get a b c\r\n'), hitText('c', 'after'))
    for (const each of [third, second, tiers]) await each.close()
  })

  it('a flush that was asked for in advance comes when it is due, or at the start after that', async (t) => {
    for (const isDueBefore of [true, false]) {
      const tiers = await open(t)
      await stored(tiers, 'a')
      await tiers.ask('flush_all 100\r\n')
      await stored(tiers, 'b')
      const clock = new ManualClock(tiers.clock.nowS + (isDueBefore ? 200 : 50))
      const second = await crash(tiers, clock)
      if (!isDueBefore) {
        assert.equal(await second.ask('get a\r\n'), valueText('a'))
        clock.advance(50)
        second.cache.tick()
      }
      assert.equal(await second.ask('get a b\r\n'), MISS)
      await stored(second, 'c')
      const third = await crash(second)
      assert.equal(await third.ask('get a b c\r\n'), valueText('c'))
      for (const each of [third, second, tiers]) await each.close()
    }
  })

  it('a flush that was taken back does not come', async (t) => {
    const tiers = await open(t)
    await tiers.ask('flush_all 100\r\n')
    await tiers.ask('flush_all\r\n')
    await stored(tiers, 'a')
    const second = await crash(tiers, new ManualClock(tiers.clock.nowS + 200))
    assert.equal(await second.ask('get a\r\n'), valueText('a'))
    for (const each of [second, tiers]) await each.close()
  })

  it('what expired meanwhile stays gone, also when the clock was set back since', async (t) => {
    const tiers = await open(t)
    await tiers.ask(setText('a', 'x', 100))
    await tiers.ask(setText('b', 'x', 1000))
    await tiers.written()
    const late = await crash(tiers, new ManualClock(tiers.clock.nowS + 100))
    assert.equal(await late.ask('get a b\r\n'), hitText('b', 'x'))
    late.clock.advance(2)
    const back = await crash(late, new ManualClock(tiers.clock.nowS - 3600))
    assert.equal(await back.ask('get a b\r\n'), hitText('b', 'x'))
    back.clock.advance(1000)
    assert.equal(await back.ask('get b\r\n'), MISS)
    for (const each of [back, late, tiers]) await each.close()
  })

  it('cas values go on above all that were given out', async (t) => {
    let tiers = await open(t)
    const seen = new Set<number>()
    const opened = [tiers]
    for (let life = 0; life < 5; life++) {
      for (let i = 0; i < 10; i++) {
        await tiers.ask(setText('k', `${i}`))
        const cas = await casOf(tiers, 'k')
        assert.ok(!seen.has(cas), `${cas}`)
        seen.add(cas)
      }
      if (life % 2 === 0) {
        tiers = await crash(tiers)
      } else {
        await tiers.close()
        opened.pop()
        tiers = await Tiers.open(tiers.folder, { clock: tiers.clock })
      }
      opened.push(tiers)
      assert.ok(tiers.cache.sequence >= Math.max(...seen))
    }
    for (const each of opened.toReversed()) await each.close()
  })

  it('cas, flags and expiry are as they were', async (t) => {
    const tiers = await open(t)
    await tiers.ask(setText('k', 'x', 500, 4_000_000_000))
    await tiers.written()
    const cas = await casOf(tiers, 'k')
    const second = await crash(tiers)
    assert.equal(await second.ask('gets k\r\n'), `VALUE k 4000000000 1 ${cas}\r\nx\r\nEND\r\n`)
    assert.equal(await second.ask('mg k t f c\r\n'), `HD t500 f4000000000 c${cas}\r\n`)
    for (const each of [second, tiers]) await each.close()
  })

  it('a second crash while the index is being rebuilt brings nothing back', async (t) => {
    const tiers = await open(t)
    const keys = Array.from({ length: 30_000 }, (_, i) => `k${i}`)
    for (const key of keys) await tiers.ask(setText(key, 'old'))
    await tiers.written()
    for (let i = 0; i < 100; i++) await tiers.ask(`delete k${i}\r\n`)
    for (let i = 100; i < 200; i++) await tiers.ask(setText(`k${i}`, 'new'))
    const second = await crash(tiers)
    assert.equal(second.tier.l2.isRecovering, true)
    for (let i = 200; i < 300; i++) await second.ask(setText(`k${i}`, 'new'))
    const asked = second.ask('get k29999 k0\r\n')
    const third = await crash(second)
    assert.equal(await asked, hitText('k29999', 'old'))
    for (let i = 0; i < 300; i++) {
      const reply = await third.ask(`get k${i}\r\n`)
      assert.ok(reply === MISS || (i >= 100 && reply === hitText(`k${i}`, 'new')), reply)
    }
    assert.equal(await third.ask('get k300\r\n'), hitText('k300', 'old'))
    for (const each of [third, second, tiers]) await each.close()
  })
})

describe('a journal that cannot be written', () => {
  it('says so, answers all the same, and leaves nothing stale', async (t) => {
    const tiers = await open(t)
    await stored(tiers, 'a', 'b')
    const refused = refuseJournal(t)
    assert.equal(await tiers.ask(setText('a', 'newer')), 'STORED\r\n')
    assert.equal(await tiers.ask('delete b\r\n'), 'DELETED\r\n')
    assert.ok(refused.mock.callCount() > 0)
    assert.equal(tiers.tier.l2.degraded, true)
    refused.mock.restore()
    const second = await crash(tiers)
    const reply = await second.ask('get a\r\n')
    assert.ok(reply === MISS || reply === hitText('a', 'newer'), reply)
    assert.equal(await second.ask('get b\r\n'), MISS)
    await second.close()
    await tiers.ask(setText('c', 'x'))
    await tiers.ask(setText('a', 'newest'))
    await tiers.written()
    await tiers.ask(setText('a', 'last'))
    assert.equal(tiers.tier.l2.degraded, false)
    await tiers.close()
  })

  it('together with a disk that refuses everything else leaves nothing stale', async (t) => {
    const trouble = troubleWrites(t)
    const tiers = await open(t)
    await stored(tiers, 'a', 'b')
    trouble.mode = 'refuse'
    refuseJournal(t)
    await tiers.ask(setText('a', 'newer'))
    await tiers.ask('delete b\r\n')
    await tiers.written()
    const folder = `${tiers.folder}+`
    tiers.crashTo(folder)
    t.mock.restoreAll()
    const second = await Tiers.open(folder)
    assert.equal(await second.ask('get a b\r\n'), MISS)
    await second.close()
    await tiers.close()
  })
})

describe('a data directory that is removed', () => {
  it('is made anew, serves on from memory, and takes what is stored from then on', async (t) => {
    const tiers = await open(t)
    await stored(tiers, 'memory', 'disk')
    tiers.evictAll()
    await tiers.ask('get memory\r\n')
    rmSync(tiers.folder, { recursive: true })
    assert.equal(await tiers.ask('get memory\r\n'), valueText('memory'))
    tiers.clock.advance(1)
    await withPatience('beginning anew', (proceed) => {
      const poll = (): void => {
        if (existsSync(join(tiers.folder, 'FORMAT')) && !tiers.tier.l2.degraded) proceed()
        else setImmediate(poll)
      }
      poll()
    })
    assert.equal(await tiers.ask('get memory\r\n'), valueText('memory'))
    assert.equal(await tiers.ask('get disk\r\n'), MISS)
    await stored(tiers, 'later')
    const second = await crash(tiers)
    assert.equal(await second.ask('get later\r\n'), valueText('later'))
    await second.close()
    await tiers.close()
    assert.ok(tiers.logged.some((line) => line.includes(tiers.folder)))
  })

  for (const isWritten of [true, false]) {
    it(`keeps what memory had for the next start, ${isWritten ? 'written before' : 'not written'}`, async (t) => {
      const tiers = await open(t)
      await tiers.ask(setText('k', 'x'))
      if (isWritten) await tiers.written()
      rmSync(tiers.folder, { recursive: true })
      const isAnew = (): boolean =>
        existsSync(join(tiers.folder, 'FORMAT')) && !tiers.tier.l2.degraded
      for (let i = 0; i < 3 || (i < ROUNDS_MAX && !isAnew()); i++) {
        tiers.clock.advance(1)
        await turns(50)
      }
      assert.ok(isAnew())
      tiers.evictAll()
      assert.equal(await tiers.ask('get k\r\n'), hitText('k', 'x'))
      await tiers.close()
    })
  }
})

describe('a data directory', () => {
  it('that another has open is refused, and its name is told', async (t) => {
    const tiers = await open(t)
    await assert.rejects(Tiers.open(tiers.folder), (error) => {
      assert.ok(error instanceof ServerError)
      assert.equal(error.code, 'DATA_DIR_IN_USE')
      assert.ok(error.message.includes(tiers.folder))
      return true
    })
    await stored(tiers, 'a')
    await tiers.close()
  })

  for (const [what, name, text, code] of [
    ['of somebody else', 'notes.txt', 'mine', 'DATA_DIR_FOREIGN'],
    ['of a later version', 'FORMAT', 'rat-memcached data directory\nformat 99\n', 'DATA_DIR_NEWER'],
  ] as const) {
    it(`${what} is refused and left as it is`, async (t) => {
      const folder = join(quickFolder(t), 'data')
      mkdirSync(folder)
      writeFileSync(join(folder, name), text)
      await assert.rejects(Tiers.open(folder), { code })
      assert.deepEqual(readdirSync(folder), [name])
    })
  }
})
