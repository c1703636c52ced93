import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ServerError } from '../../../../src/errors.ts'
import { DirectoryLock } from '../../../../src/store/l2/generation.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'directory-lock-'))
after(() => rmSync(FOLDER, { recursive: true, force: true }))

const MODULE = new URL('../../../../src/store/l2/generation.ts', import.meta.url).href
/** Holds a directory and says so, until it is killed. */
const HOLDER = `const { DirectoryLock } = await import(${JSON.stringify(MODULE)})
await DirectoryLock.open(process.argv[1])
process.stdout.write('held')
setInterval(() => undefined, 1000)`

function isInUse(folder: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServerError)
    assert.equal(error.code, 'DATA_DIR_IN_USE')
    assert.ok(error.message.includes(folder), error.message)
    return true
  }
}

describe('the lock of a data directory', () => {
  it('is held by one at a time, and can be taken again', async () => {
    const folder = join(FOLDER, 'once')
    const lock = await DirectoryLock.open(folder)
    await assert.rejects(DirectoryLock.open(folder), isInUse(folder))
    await lock.close()
    await lock.close()
    await (await DirectoryLock.open(folder)).close()
  })

  it('keeps another process out, until that one is killed', async () => {
    const folder = join(FOLDER, 'process')
    const args = ['--import', 'tsx', '--input-type=module', '--eval', HOLDER, folder]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      await once(child.stdout, 'data')
      await assert.rejects(DirectoryLock.open(folder), isInUse(folder))
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    await (await DirectoryLock.open(folder)).close()
  })

  it('is made anew when its files are damaged, but not when another holds it', async () => {
    const folder = join(FOLDER, 'damaged')
    const lock = await DirectoryLock.open(folder)
    writeFileSync(join(folder, 'lock', 'CURRENT'), '')
    await assert.rejects(DirectoryLock.open(folder), isInUse(folder))
    await lock.close()
    await (await DirectoryLock.open(folder)).close()
  })

  it('cannot be taken where a folder cannot be', async () => {
    const path = join(FOLDER, 'file')
    writeFileSync(path, 'not a folder')
    await assert.rejects(DirectoryLock.open(path), { code: 'DATA_DIR_UNUSABLE' })
  })
})
