import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ManualClock } from '../../../../src/observe/clock.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'
import {
  Life,
  START_S,
  hashOf,
  killedCopy,
  namesOf,
  refusedStart,
  stoppedFolder,
} from '../../../helpers/l2-life.ts'

/** Damages a generation such that it cannot be opened. */
function damage(folder: string, index: number): void {
  const generation = join(folder, namesOf(folder, 'gen-')[index]!)
  for (const name of readdirSync(generation)) {
    if (name.startsWith('MANIFEST')) writeFileSync(join(generation, name), 'nothing of use')
  }
}

async function valuesOf(life: Life, prefix: string): Promise<(string | undefined)[]> {
  const values: (string | undefined)[] = []
  for (let n = 0; n < 10; n++) values.push(await life.get(`${prefix}-${n}`))
  return values
}

const ten = (word: string): string[] => Array.from({ length: 10 }, (_, n) => `${word}-${n}`)
const NONE = Array.from({ length: 10 }, () => undefined)

describe('the index after a clean stop', () => {
  it('is whole before anything was read from the generations', async (t) => {
    const folder = await stoppedFolder(t)
    assert.ok(existsSync(join(folder, 'index')))
    const life = await Life.begin(t, folder)
    assert.equal(life.isIndexed, true)
    assert.deepEqual(await valuesOf(life, 'first'), ten('one'))
    assert.deepEqual(await valuesOf(life, 'second'), ten('two'))
    assert.deepEqual(await valuesOf(life, 'third'), ten('three'))
    assert.equal(await life.get('changed'), 'new')
    assert.equal(await life.get('deleted'), undefined)
    assert.equal(life.l2.keys.count, 32)
  })

  it('keeps when a key expires and that it was read, and leaves out what has expired', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const clock = new ManualClock(START_S)
    const before = await (await Life.begin(t, folder, clock)).start()
    before.set('soon', 'a', START_S + 10)
    before.set('later', 'b', START_S + 100)
    before.set('never', 'c')
    await before.written()
    before.l2.keys.setReferenced(before.entryOf('later'))
    await before.stop()

    const life = await Life.begin(t, folder, new ManualClock(START_S + 10))
    const { keys } = life.l2
    assert.equal(keys.count, 2)
    assert.equal(keys.expiresAtS(life.entryOf('later')), START_S + 100)
    assert.equal(keys.isReferenced(life.entryOf('later')), true)
    assert.equal(keys.isReferenced(life.entryOf('never')), false)
  })

  it('does not bring back what had expired, where the clock was set back since', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const clock = new ManualClock(START_S)
    const before = await (await Life.begin(t, folder, clock)).start()
    before.set('soon', 'a', START_S + 10)
    await before.written()
    clock.advance(20)
    await before.stop()
    const life = await Life.begin(t, folder, new ManualClock(START_S))
    assert.equal(life.l2.keys.count, 0)
    assert.equal(life.isIndexed, true)
  })

  it('goes on from life to life', async (t) => {
    const folder = await stoppedFolder(t)
    for (let n = 0; n < 4; n++) {
      const life = await (await Life.begin(t, folder)).start()
      assert.equal(life.isIndexed, true)
      for (let before = 0; before < n; before++) {
        assert.equal(await life.get(`life-${before}`), `value-${before}`)
      }
      assert.equal(await life.get('counter'), n === 0 ? undefined : `at-${n - 1}`)
      life.set(`life-${n}`, `value-${n}`)
      life.set('counter', `at-${n}`)
      await life.stop()
    }
  })

  it('takes at most 24 bytes a key, which count as room of the generations', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const life = await (await Life.begin(t, folder)).start()
    const bytesMaxBefore = life.l2.list.bytesMax
    for (let n = 0; n < 2000; n++) life.set(`key-${n}`, 'v')
    await life.written()
    const reserved = bytesMaxBefore - life.l2.list.bytesMax
    await life.stop()
    const { size } = statSync(join(folder, 'index'))
    assert.ok(size <= 24 * 2000, `${size} bytes`)
    assert.ok(Math.abs(size - reserved) < 200, `${size} bytes, ${reserved} reserved`)
  })
})

describe('a saved index', () => {
  it('is not believed a second time', async (t) => {
    const folder = await stoppedFolder(t)
    const saved = readFileSync(join(folder, 'index'))
    const life = await (await Life.begin(t, folder)).start()
    assert.equal(existsSync(join(folder, 'index')), false)
    life.set('changed', 'newer')
    await life.written()
    const killed = killedCopy(t, folder)
    writeFileSync(join(killed, 'index'), saved)
    const next = await Life.begin(t, killed)
    assert.equal(next.isIndexed, false)
    await next.start()
    assert.equal(await next.get('changed'), 'newer')
    assert.deepEqual(await valuesOf(next, 'first'), ten('one'))
  })

  it('is believed by a start after one that was killed before it wrote anything', async (t) => {
    const folder = await stoppedFolder(t)
    const files = new FaultyFiles()
    // The save that takes the stamp back is the first write of all.
    files.roomBytes = 0
    await assert.rejects(Life.begin(t, folder, undefined, files), { code: 'DATA_DIR_UNUSABLE' })
    const life = await Life.begin(t, folder)
    assert.equal(life.isIndexed, true)
    assert.equal(await life.get('changed'), 'new')
  })

  it('is believed only with the state of its own stop', async (t) => {
    const folder = await stoppedFolder(t)
    const older = readFileSync(join(folder, 'index'))
    // A whole life in which no batch was written: only the stamp tells the two files apart.
    await (await (await Life.begin(t, folder)).start()).stop()
    writeFileSync(join(folder, 'index'), older)
    const life = await Life.begin(t, folder)
    assert.equal(life.isIndexed, false)
    assert.ok(life.output.some((line) => line.includes('another stop')))
    await life.start()
    assert.equal(await life.get('changed'), 'new')
  })

  it('is not believed where a generation has been written since', async (t) => {
    const folder = await stoppedFolder(t)
    const life = await (await Life.begin(t, killedCopy(t, folder))).start()
    const { folder: other } = life.l2.options
    life.set('changed', 'newer')
    await life.stop()
    // The generations of a later life, with the state and the index of the earlier stop.
    for (const name of ['state', 'index']) cpSync(join(folder, name), join(other, name))
    const next = await Life.begin(t, other)
    assert.equal(next.isIndexed, false)
    assert.ok(next.output.some((line) => line.includes('was written since')))
    await next.start()
    assert.equal(await next.get('changed'), 'newer')
  })

  it('is not believed where the journal has gone on since', async (t) => {
    const folder = await stoppedFolder(t)
    const other = killedCopy(t, folder)
    const life = await (await Life.begin(t, other)).start()
    life.l2.supersede(...hashOf('changed'), ++life.source.sequence)
    life.l2.commit()
    for (const name of namesOf(other, 'journal')) {
      cpSync(join(other, name), join(folder, name), { recursive: true })
    }
    const next = await Life.begin(t, folder)
    assert.equal(next.isIndexed, false)
    assert.ok(next.output.some((line) => line.includes('journal has gone on')))
    await next.start()
    assert.equal(await next.get('changed'), undefined)
    assert.equal(await next.get('first-3'), 'one-3')
  })

  it('is ignored as a whole where a part of it is damaged or missing', async (t) => {
    const folder = await stoppedFolder(t)
    const whole = readFileSync(join(folder, 'index'))
    for (const at of [0, 50, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 0x10
      for (const bytes of [damaged, whole.subarray(0, at)]) {
        writeFileSync(join(folder, 'index'), bytes)
        const files = new FaultyFiles()
        // Nothing gets written, so that the next round finds the same folder.
        files.roomBytes = 0
        const output = await refusedStart(folder, files)
        assert.match(output, /saved index .* is not used/, `byte ${at} of ${whole.length}`)
      }
    }
    writeFileSync(join(folder, 'index'), Buffer.concat([whole, Buffer.from('more')]))
    const life = await Life.begin(t, folder)
    assert.equal(life.isIndexed, false)
    assert.equal(life.l2.keys.count, 0)
    await life.start()
    assert.equal(await life.get('changed'), 'new')
    assert.equal(await life.get('deleted'), undefined)
  })

  it('is ignored where it cannot be read, and where it is gone', async (t) => {
    const folder = await stoppedFolder(t)
    rmSync(join(folder, 'index'))
    const life = await Life.begin(t, folder)
    assert.equal(life.isIndexed, false)
    await life.start()
    assert.deepEqual(await valuesOf(life, 'second'), ten('two'))
    await life.stop()
    rmSync(join(folder, 'index'))
    // A folder in its place can be looked at and not be read.
    cpSync(join(folder, 'lock'), join(folder, 'index'), { recursive: true })
    const next = await Life.begin(t, folder)
    assert.equal(next.isIndexed, false)
    assert.ok(next.output.some((line) => line.includes('cannot be read')))
  })
})

describe('a stop that cannot save the index', () => {
  for (const call of ['openSync', 'writeSync', 'renameSync'] as const) {
    it(`leaves none, and everything else whole: ${call} fails`, async (t) => {
      const folder = join(temporaryFolder(t), 'data')
      const files = new FaultyFiles()
      const life = await (await Life.begin(t, folder, undefined, files)).start()
      life.set('a', 'b')
      await life.written()
      files.failing.set(call, 'EIO')
      await life.stop()
      assert.deepEqual(namesOf(folder, 'index'), [])
      const next = await Life.begin(t, folder)
      assert.equal(next.isIndexed, false)
      await next.start()
      assert.equal(await next.get('a'), 'b')
    })
  }

  it('leaves none where the disk is full, but is a clean stop', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const files = new FaultyFiles()
    const life = await (await Life.begin(t, folder, undefined, files)).start()
    for (let n = 0; n < 500; n++) life.set(`key-${n}`, 'v')
    await life.written()
    // The state file has its room already, and takes 72 bytes of it.
    files.roomBytes = 2000
    await life.stop()
    assert.deepEqual(namesOf(folder, 'index'), [])
    assert.ok(life.output.some((line) => line.includes('cannot be saved')))
  })

  it('leaves a part that the next start removes, where it is killed', async (t) => {
    const folder = await stoppedFolder(t)
    const life = await (await Life.begin(t, folder)).start()
    const killed = killedCopy(t, folder)
    writeFileSync(join(killed, 'index.new'), Buffer.alloc(100))
    writeFileSync(join(killed, 'index'), Buffer.alloc(100))
    await life.stop()
    const next = await Life.begin(t, killed)
    assert.equal(next.isIndexed, false)
    assert.deepEqual(namesOf(killed, 'index'), [])
  })
})

describe('a generation that is damaged after a clean stop', () => {
  it('costs its own keys only', async (t) => {
    const folder = await stoppedFolder(t)
    damage(folder, 1)
    const life = await (await Life.begin(t, folder)).start()
    assert.equal(life.isIndexed, true)
    assert.deepEqual(await valuesOf(life, 'first'), ten('one'))
    assert.deepEqual(await valuesOf(life, 'second'), NONE)
    assert.deepEqual(await valuesOf(life, 'third'), ten('three'))
    // Its newest value is lost; the one before is not the value of the key any more.
    assert.equal(await life.get('changed'), undefined)
    assert.equal(await life.get('deleted'), undefined)
  })

  it('is remembered: after a kill nothing older is believed, after a stop all of it', async (t) => {
    const folder = await stoppedFolder(t)
    damage(folder, 1)
    const life = await (await Life.begin(t, folder)).start()
    life.set('fourth', 'four')
    await life.written()
    const killed = killedCopy(t, folder)
    await life.stop()

    const stopped = await (await Life.begin(t, folder)).start()
    assert.equal(stopped.isIndexed, true)
    assert.deepEqual(await valuesOf(stopped, 'first'), ten('one'))
    assert.equal(await stopped.get('changed'), undefined)
    assert.equal(await stopped.get('fourth'), 'four')

    // Somebody has looked at what was set aside, and removed it.
    for (const name of namesOf(killed, 'gen-')) {
      if (name.includes('damaged')) rmSync(join(killed, name), { recursive: true })
    }
    const next = await (await Life.begin(t, killed)).start()
    assert.equal(await next.get('changed'), undefined)
    assert.equal(await next.get('deleted'), undefined)
    assert.deepEqual(await valuesOf(next, 'first'), NONE)
    assert.deepEqual(await valuesOf(next, 'third'), ten('three'))
    assert.equal(await next.get('fourth'), 'four')
  })

  it('is remembered also by a start that is killed right after it was set aside', async (t) => {
    const folder = await stoppedFolder(t)
    const generation = join(folder, namesOf(folder, 'gen-')[1]!)
    renameSync(generation, `${generation}.damaged-1`)
    const life = await (await Life.begin(t, folder)).start()
    assert.equal(life.isIndexed, true)
    assert.equal(await life.get('changed'), undefined)
    const next = await (await Life.begin(t, killedCopy(t, folder))).start()
    assert.equal(await next.get('changed'), undefined)
  })

  it('takes what is written then with it, neither as the newest nor after a kill', async (t) => {
    for (const isKilled of [false, true]) {
      const folder = await stoppedFolder(t)
      damage(folder, 2)
      if (isKilled) rmSync(join(folder, 'index'))
      const life = await (await Life.begin(t, folder)).start()
      assert.equal(await life.get('third-1'), undefined)
      life.set('fourth', 'four')
      await life.written()
      assert.equal(await life.get('fourth'), 'four')
      const next = await (await Life.begin(t, killedCopy(t, folder))).start()
      assert.equal(await next.get('fourth'), 'four', 'after a kill')
      assert.equal(await next.get('changed'), undefined)
      await life.stop()
    }
  })

  it('counts as damaged, too, where its last batches are lost', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const life = await (await Life.begin(t, folder)).start()
    life.set('kept', 'here')
    life.set('changed', 'old')
    life.set('deleted', 'old')
    await life.written()
    const [generation] = namesOf(folder, 'gen-')
    const short = join(killedCopy(t, folder), generation!)
    life.set('changed', 'new')
    life.delete('deleted')
    await life.stop()
    rmSync(join(folder, generation!), { recursive: true })
    cpSync(short, join(folder, generation!), { recursive: true })

    const next = await (await Life.begin(t, folder)).start()
    assert.equal(next.isIndexed, true)
    assert.equal(await next.get('kept'), 'here')
    assert.equal(await next.get('changed'), undefined)
    assert.equal(await next.get('deleted'), undefined)
    next.set('after', 'it')
    await next.written()
    const last = await (await Life.begin(t, killedCopy(t, folder))).start()
    assert.equal(await last.get('changed'), undefined)
    assert.equal(await last.get('deleted'), undefined)
    assert.equal(await last.get('after'), 'it')
  })
})
