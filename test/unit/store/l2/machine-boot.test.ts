/** A machine that stops without a word: what the system had not brought to the device is gone. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { MACHINE_FILES } from '../../../../src/store/l2/file-system.ts'
import type { L2Options } from '../../../../src/store/l2/l2-store.ts'
import {
  BOOT_ID_PATH,
  hasMachineRestarted,
  noteBoot,
} from '../../../../src/store/l2/machine-boot.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'
import { Life } from '../../../helpers/l2-life.ts'
import { copyInstant } from '../../../helpers/tiers.ts'

/** A machine that can be started anew, and may be one that does not tell. */
class Machine extends FaultyFiles {
  life = 1
  tells = true

  override readFileSync(path: string): Buffer {
    if (path !== BOOT_ID_PATH) return super.readFileSync(path)
    if (!this.tells) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    return Buffer.from(`life ${this.life}\n`)
  }
}

/** What is left of a value that was on disk, when a process was killed in the way of `end`. */
async function afterwards(
  t: TestContext,
  sync: L2Options['sync'],
  end: (machine: Machine, life: Life) => void | Promise<void>,
): Promise<{ value: string | undefined; sequences: [number, number]; output: string[] }> {
  const machine = new Machine()
  const folder = temporaryFolder(t)
  const life = await Life.begin(t, join(folder, 'first'), undefined, machine, sync)
  await life.start()
  life.set('k', 'value')
  await life.written()
  await end(machine, life)
  copyInstant(join(folder, 'first'), join(folder, 'left'))
  const next = await Life.begin(t, join(folder, 'left'), undefined, machine, sync)
  await next.start()
  return {
    value: await next.get('k'),
    sequences: [life.source.sequence, next.source.sequence],
    output: next.output,
  }
}

const restart = (machine: Machine): void => {
  machine.life++
}

describe('a machine that was started anew after a stop that was not clean', () => {
  it('empties a tier of which nothing was forced to the device, and says why', async (t) => {
    const { value, output } = await afterwards(t, 'never', restart)
    assert.equal(value, undefined)
    assert.ok(
      output.some(
        (line) => line.includes('it is emptied') && line.includes('"machine_stopped":true'),
      ),
    )
  })

  for (const sync of ['interval', 'always'] as const) {
    it(`keeps a tier that is forced to the device, ${sync}`, async (t) => {
      const { value } = await afterwards(t, sync, restart)
      assert.equal(value, 'value')
    })
  }

  it('gives out no number again, though its reservation may be lost', async (t) => {
    for (const sync of ['never', 'always'] as const) {
      const { sequences } = await afterwards(t, sync, restart)
      assert.ok(sequences[1] - sequences[0] >= 2 ** 32)
      assert.ok(Number.isSafeInteger(sequences[1] * 1000))
    }
  })

  it('is noted once: the next crash of the process costs nothing', async (t) => {
    const machine = new Machine()
    const folder = temporaryFolder(t)
    const first = await Life.begin(t, join(folder, '1'), undefined, machine)
    copyInstant(first.l2.options.folder, join(folder, '2'))
    restart(machine)
    const second = await (await Life.begin(t, join(folder, '2'), undefined, machine)).start()
    second.set('k', 'value')
    await second.written()
    copyInstant(join(folder, '2'), join(folder, '3'))
    const third = await (await Life.begin(t, join(folder, '3'), undefined, machine)).start()
    assert.equal(await third.get('k'), 'value')
  })
})

describe('a tier is kept', () => {
  it('where only the process was killed', async (t) => {
    assert.equal((await afterwards(t, 'never', () => undefined)).value, 'value')
  })

  it('after a clean stop, whatever the machine does then', async (t) => {
    const { value } = await afterwards(t, 'never', async (machine, life) => {
      await life.stop()
      restart(machine)
    })
    assert.equal(value, 'value')
  })

  it('where the system does not tell of its lives, or did not', async (t) => {
    const { value } = await afterwards(t, 'never', (machine) => {
      machine.tells = false
    })
    assert.equal(value, 'value')
    const older = await afterwards(t, 'never', (machine, { l2 }) => {
      rmSync(join(l2.options.folder, 'boot'))
      restart(machine)
    })
    assert.equal(older.value, 'value')
  })
})

describe('the life of the machine', () => {
  it('is what the system says, and no other is believed', (t) => {
    const folder = temporaryFolder(t)
    noteBoot(folder, MACHINE_FILES)
    assert.equal(hasMachineRestarted(folder, MACHINE_FILES), false)
    const machine = new Machine()
    noteBoot(folder, machine)
    assert.equal(readFileSync(join(folder, 'boot'), 'latin1'), 'life 1\n')
    assert.equal(hasMachineRestarted(folder, machine), false)
    writeFileSync(join(folder, 'boot'), 'life 0\n')
    assert.equal(hasMachineRestarted(folder, machine), true)
  })

  it('is not written where it is noted already', (t) => {
    const folder = temporaryFolder(t)
    const machine = new Machine()
    noteBoot(folder, machine)
    const calls = machine.calls.filter((call) => call.startsWith('renameSync')).length
    noteBoot(folder, machine)
    assert.deepEqual(
      [calls, machine.calls.filter((call) => call.startsWith('renameSync')).length],
      [1, 1],
    )
  })
})
