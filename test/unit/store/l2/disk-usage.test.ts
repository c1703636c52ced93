import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { diskUsage } from '../../../../src/store/l2/disk-usage.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'disk-usage-'))
after(() => rmSync(FOLDER, { recursive: true, force: true }))

function emptyFolder(name: string): string {
  const path = join(FOLDER, name)
  mkdirSync(path)
  return path
}

describe('disk usage', () => {
  it('is the sum of all files and folders below, the folder itself included', async () => {
    const path = emptyFolder('tree')
    mkdirSync(join(path, 'a', 'b'), { recursive: true })
    writeFileSync(join(path, 'one'), Buffer.alloc(1000))
    writeFileSync(join(path, 'a', 'two'), Buffer.alloc(20_000))
    writeFileSync(join(path, 'a', 'b', 'three'), Buffer.alloc(3))
    const folders = [path, join(path, 'a'), join(path, 'a', 'b')]
    const folderBytes = folders.reduce((sum, folder) => sum + statSync(folder).size, 0)
    assert.equal((await diskUsage(path)).bytes, 21_003 + folderBytes)
  })

  it('tells what the file system has set aside, too', async () => {
    const path = join(FOLDER, 'file')
    writeFileSync(path, Buffer.alloc(100_001))
    const usage = await diskUsage(path)
    assert.deepEqual(usage, { bytes: 100_001, allocatedBytes: statSync(path).blocks * 512 })
    assert.ok(usage.allocatedBytes > 100_001 && usage.allocatedBytes < 300_000)
  })

  it('of a folder that is not there is nothing', async () => {
    assert.deepEqual(await diskUsage(join(FOLDER, 'nowhere')), { bytes: 0, allocatedBytes: 0 })
  })

  it('does not follow links', async () => {
    const path = emptyFolder('links')
    const empty = (await diskUsage(path)).bytes
    writeFileSync(join(FOLDER, 'large'), Buffer.alloc(50_000))
    symlinkSync(join(FOLDER, 'large'), join(path, 'link'))
    assert.ok((await diskUsage(path)).bytes - empty < 4096)
  })

  it('is counted while files come and go', async () => {
    const path = emptyFolder('busy')
    for (let i = 0; i < 200; i++) writeFileSync(join(path, `${i}`), 'x')
    const counted = diskUsage(path)
    for (let i = 0; i < 200; i += 2) rmSync(join(path, `${i}`))
    renameSync(join(path, '1'), join(path, 'other'))
    const files = (await counted).bytes - statSync(path).size
    assert.ok(files <= 200, `${files}`)
  })
})
