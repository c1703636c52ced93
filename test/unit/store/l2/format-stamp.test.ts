import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { claimDataDirectory } from '../../../../src/store/l2/format-stamp.ts'
import { FaultyFiles, temporaryFolder } from '../../../helpers/faulty-files.ts'

const STAMP = 'rat-memcached data directory\nformat 1\n'

/** Everything that can be told of a folder: names, bytes, times. */
function picture(folder: string): unknown {
  return [
    statSync(folder).mtimeMs,
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path, statSync(path).mtimeMs, entry.isFile() && readFileSync(path, 'latin1')]
    }),
  ]
}

describe('the stamp of a data directory', () => {
  it('is put into a folder that is empty, or not there yet, and known again', (t) => {
    const folder = temporaryFolder(t)
    for (const path of [folder, join(folder, 'a', 'b', 'c')]) {
      assert.equal(claimDataDirectory(path), true)
      assert.equal(readFileSync(join(path, 'FORMAT'), 'latin1'), STAMP)
      const before = picture(path)
      assert.equal(claimDataDirectory(path), false)
      assert.deepEqual(picture(path), before)
    }
    assert.deepEqual(readdirSync(join(folder, 'a', 'b', 'c')), ['FORMAT'])
  })

  it('is put beside the folder that a file system keeps for what it finds', (t) => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'lost+found'))
    assert.equal(claimDataDirectory(folder), true)
    assert.deepEqual(readdirSync(folder).sort(), ['FORMAT', 'lost+found'])
  })

  it('is there whole or not at all when a process is stopped while it makes one', (t) => {
    for (const [call, roomBytes] of [
      ['writeSync', Infinity],
      ['fsyncSync', Infinity],
      ['renameSync', Infinity],
      ['sizeSync', 0],
      ['sizeSync', 7],
    ] as const) {
      const folder = temporaryFolder(t)
      const files = new FaultyFiles()
      files.failing.set(call, 'EIO')
      files.roomBytes = roomBytes
      assert.throws(() => claimDataDirectory(folder, files), {
        code: 'DATA_DIR_UNUSABLE',
        message: new RegExp(`cannot be written .${roomBytes === Infinity ? 'EIO' : 'ENOSPC'}`),
      })
      assert.equal(readdirSync(folder).includes('FORMAT'), false)
      assert.equal(claimDataDirectory(folder), true)
      assert.deepEqual(readdirSync(folder), ['FORMAT'])
      assert.equal(readFileSync(join(folder, 'FORMAT'), 'latin1'), STAMP)
    }
  })
})

describe('a directory that is refused', () => {
  const foreign: [string, Record<string, string>, RegExp][] = [
    ['other things', { 'letter.txt': 'dear' }, /it holds "letter\.txt" and no file FORMAT/],
    ['many other things', { a: '', b: '', c: '', d: '', e: '' }, /"a", "b", "c" and 2 more/],
    ['a hidden file', { '.hidden': '' }, /"\.hidden"/],
    ['an empty stamp', { FORMAT: '' }, /its file FORMAT begins with ""/],
    ['the beginning of a stamp', { FORMAT: STAMP.slice(0, -1) }, /begins with "rat-mem/],
    ['a stamp with more behind', { FORMAT: `${STAMP}more` }, /begins with "rat-mem/],
    ['the stamp of another', { FORMAT: 'leveldb\n\u0000\n' }, /begins with "leveldb"/],
    ['a long file as stamp', { FORMAT: 'x'.repeat(100_000) }, /begins with "x{40}"/],
    ['format 0', { FORMAT: 'rat-memcached data directory\nformat 0\n' }, /begins with/],
    ['format 01', { FORMAT: 'rat-memcached data directory\nformat 01\n' }, /begins with/],
    ['no format', { FORMAT: 'rat-memcached data directory\nformat -2\n' }, /begins with/],
    ['a name like an unfinished stamp', { 'FORMAT.new': 'my notes' }, /"FORMAT\.new"/],
  ]
  for (const [name, entries, message] of foreign) {
    it(`is left as it is: it holds ${name}`, (t) => {
      const folder = temporaryFolder(t)
      for (const [file, text] of Object.entries(entries)) writeFileSync(join(folder, file), text)
      const before = picture(folder)
      assert.throws(
        () => claimDataDirectory(folder),
        (error: Error) => {
          assert.equal(Reflect.get(error, 'code'), 'DATA_DIR_FOREIGN')
          assert.match(error.message, message)
          assert.ok(error.message.includes(folder))
          assert.match(error.message, /choose an empty directory/)
          return true
        },
      )
      assert.deepEqual(picture(folder), before)
    })
  }

  it('is left as it is: FORMAT is a folder', (t) => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'FORMAT'))
    const before = picture(folder)
    assert.throws(() => claimDataDirectory(folder), { code: 'DATA_DIR_FOREIGN' })
    assert.deepEqual(picture(folder), before)
  })

  for (const text of [
    'format 2\n',
    'format 17\nand what that means\n',
    `format 2\n${'x'.repeat(1000)}`,
  ]) {
    it(`is left as it is: it was written by a later version, ${text.split('\n', 1)[0]}`, (t) => {
      const folder = temporaryFolder(t)
      writeFileSync(join(folder, 'FORMAT'), `rat-memcached data directory\n${text}`)
      writeFileSync(join(folder, 'other'), 'things')
      const before = picture(folder)
      assert.throws(() => claimDataDirectory(folder), {
        code: 'DATA_DIR_NEWER',
        message:
          /has format (?:2|17), and this version .* up to 1; start the version that wrote it/,
      })
      assert.deepEqual(picture(folder), before)
    })
  }

  it('is no directory, or one that this user may not use', (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'file')
    writeFileSync(file, 'text')
    for (const path of [file, join(file, 'below')]) {
      assert.throws(() => claimDataDirectory(path), {
        code: 'DATA_DIR_UNUSABLE',
        message: /cannot be (?:made|listed) \(E/,
      })
    }
    assert.equal(readFileSync(file, 'latin1'), 'text')
    claimDataDirectory(join(folder, 'good'))
    for (const call of ['mkdirSync', 'readdirSync', 'openSync', 'readSync'] as const) {
      const files = new FaultyFiles()
      files.failing.set(call, 'EACCES')
      assert.throws(() => claimDataDirectory(join(folder, 'good'), files), {
        code: 'DATA_DIR_UNUSABLE',
        message: /good.*EACCES/,
      })
    }
  })
})
