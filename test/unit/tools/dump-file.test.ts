import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { DUMPED, DumpWriter, readDump } from '../../../src/tools/dump-file.ts'
import type { DumpedItem, Read } from '../../../src/tools/dump-file.ts'
import { keyOfUri, metaKey } from '../../../src/tools/meta-key.ts'

async function written(items: readonly DumpedItem[]): Promise<Buffer> {
  const pieces: Buffer[] = []
  const writer = new DumpWriter((bytes) => {
    pieces.push(Buffer.from(bytes))
    return Promise.resolve()
  })
  await writer.begin(1_800_000_000_000)
  for (const each of items) await writer.add(each)
  await writer.end()
  assert.equal(writer.items, items.length)
  return Buffer.concat(pieces)
}

function readerOf(file: Buffer): Read {
  let at = 0
  return (length) => {
    if (at + length > file.length) return Promise.resolve(null)
    at += length
    return Promise.resolve(file.subarray(at - length, at))
  }
}

async function itemsIn(file: Buffer): Promise<DumpedItem[]> {
  const items: DumpedItem[] = []
  for await (const block of readDump(readerOf(file))) items.push(...block)
  return items
}

function item(name: string, value: string | Buffer): DumpedItem {
  return {
    key: Buffer.from(name),
    value: Buffer.from(value),
    clientFlags: 7,
    expiresAtS: 1_900_000_000,
    casHi: 1,
    casLo: 4_000_000_000,
    states: DUMPED.STALE,
  }
}

const bytes = (min: number, max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array))
const anyItem: fc.Arbitrary<DumpedItem> = fc.record(
  {
    key: bytes(1, 250),
    value: bytes(0, 2000),
    clientFlags: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    expiresAtS: fc.integer({ min: 0, max: 2 ** 40 }),
    casHi: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    casLo: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    states: fc.integer({ min: 0, max: 7 }),
  },
  { noNullPrototype: true },
)

describe('the file of a dump', () => {
  it('gives back every item that was written', () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyItem, { maxLength: 50 }), async (items) => {
        assert.deepEqual(await itemsIn(await written(items)), items)
      }),
      { numRuns: 50 },
    ))

  it('has many blocks, of whole items, and one that is larger than a block', async () => {
    const items = [
      ...Array.from({ length: 900 }, (_, i) => item(`k${i}`, 'v'.repeat(1000))),
      item('large', Buffer.alloc(3_000_000, 'x')),
      item('last', ''),
    ]
    const file = await written(items)
    const sizes: number[] = []
    for await (const block of readDump(readerOf(file))) sizes.push(block.length)
    assert.ok(sizes.length >= 4, sizes.join(' '))
    assert.deepEqual(await itemsIn(file), items)
  })

  it('is not believed where a byte is another, wherever that is', async () => {
    const file = await written([item('a', 'one'), item('b', 'two')])
    for (let at = 0; at < file.length; at++) {
      // The instant of its making, and two fields that say nothing yet.
      if (at >= 10 && at < 24) continue
      const damaged = Buffer.from(file)
      damaged[at]! ^= 0x10
      await assert.rejects(itemsIn(damaged), { name: 'ServerError' }, `byte ${at}`)
    }
  })

  it('is not believed where its end is missing, and says how much is good', async () => {
    const items = Array.from({ length: 900 }, (_, i) => item(`k${i}`, 'v'.repeat(1000)))
    const file = await written(items)
    for (const length of [0, 5, 23, 24, 30, 300_000, file.length - 1, file.length - 28]) {
      await assert.rejects(itemsIn(file.subarray(0, length)), { code: 'DUMP_DAMAGED' }, `${length}`)
    }
    const cut = itemsIn(file.subarray(0, file.length - 28))
    await assert.rejects(cut, { message: 'the dump is cut off; 900 items before that are good' })
  })

  it('is not believed where a block is left out, though each that is there is good', async () => {
    const items = Array.from({ length: 900 }, (_, i) => item(`k${i}`, 'v'.repeat(1000)))
    const file = await written(items)
    const firstEnd = 24 + 12 + file.readUInt32LE(24 + 4)
    const without = Buffer.concat([file.subarray(0, 24), file.subarray(firstEnd)])
    await assert.rejects(itemsIn(without), /lacks some of its blocks/)
  })

  it('of a later version is refused as such, and another file as none', async () => {
    const file = await written([])
    file.writeUInt16LE(2, 8)
    await assert.rejects(itemsIn(file), {
      code: 'DUMP_NEWER',
      message: 'the dump has format 2; this program reads format 1',
    })
    await assert.rejects(itemsIn(Buffer.from('#!/bin/sh\nexit 0\n'.padEnd(100))), {
      code: 'DUMP_DAMAGED',
      message: 'this is no dump of rat-memcached',
    })
  })
})

function key(text: string): ReturnType<typeof metaKey> {
  return metaKey(Buffer.from(text, 'latin1'), false)
}

describe('keys in meta commands', () => {
  it('are as they are where a line can hold them, in base64 otherwise', () => {
    assert.deepEqual(key('plain:1'), { text: 'plain:1', flag: '' })
    assert.deepEqual(key('schl\u00FCssel'), { text: 'schl\u00FCssel', flag: '' })
    for (const text of ['a b', 'a\n', '\0', 'a\u007F']) {
      const encoded = Buffer.from(text, 'latin1').toString('base64')
      assert.deepEqual(key(text), { text: encoded, flag: ' b' })
    }
    assert.deepEqual(metaKey(Buffer.from('abc'), true), { text: 'YWJj', flag: ' b' })
    assert.equal(key('x'.repeat(250))?.flag, '')
    assert.equal(key(' '.repeat(188)), null)
  })

  it('of a listing are any bytes', () =>
    fc.assert(
      fc.property(bytes(1, 250), (any) => {
        const uri = [...any]
          .map((code) => {
            const char = String.fromCodePoint(code)
            return /[\w.~-]/.test(char) ? char : `%${code.toString(16).padStart(2, '0')}`
          })
          .join('')
        assert.deepEqual(keyOfUri(uri), any)
      }),
    ))
})
