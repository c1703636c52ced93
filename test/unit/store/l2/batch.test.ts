import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { Batch, PACK_BYTES, PackPool } from '../../../../src/store/l2/batch.ts'
import { Compression, emptyRecordView } from '../../../../src/store/l2/record.ts'

const GENERATION = 3
const FIRST_PACK = 1000
const VALUE_BYTES = PACK_BYTES / 2

/** A batch with one record in each of its packs. */
function batchOf(packCount: number): Batch {
  const raw = new Compression({ enabled: false, minBytes: 1, maxBytes: 1 })
  const batch = new Batch(GENERATION, FIRST_PACK, new PackPool(), raw)
  const bytes = bytesOf(Buffer.alloc(VALUE_BYTES + 1, 'k'))
  const fields = { ...emptyRecordView(), keyBytes: 1, valueBytes: VALUE_BYTES }
  for (let i = 0; i < packCount; i++) batch.add(i, i, fields, bytes, 0, bytes, 1)
  return batch
}

describe('a batch', () => {
  it('has the packs that were begun in it, and none with a number before or behind them', () => {
    const batch = batchOf(3)
    const first = batch.pack(FIRST_PACK)
    assert.equal(first?.number, FIRST_PACK)
    assert.equal(batch.pack(FIRST_PACK + 2)?.number, FIRST_PACK + 2)
    for (const number of [0, FIRST_PACK - 1, FIRST_PACK + 3, 2 ** 32 - 1]) {
      assert.equal(batch.pack(number), undefined, `pack ${number}`)
    }
    assert.equal(batch.nextPack, FIRST_PACK + 3)
  })

  it('has no packs any more when it is released', () => {
    const batch = batchOf(1)
    batch.release()
    assert.equal(batch.pack(FIRST_PACK), undefined)
  })
})
