import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FlushState } from '../../../src/engine/flush.ts'

const EPOCHS = 65_536

describe('flush epochs', () => {
  it('change with every flush and fit 16 bits', () => {
    const flush = new FlushState()
    for (let i = 0; i < EPOCHS * 2; i++) {
      const before = flush.epoch
      if (flush.begin(0, 0)) flush.purged()
      assert.notEqual(flush.epoch, before)
      assert.ok(flush.epoch >= 0 && flush.epoch < EPOCHS)
    }
  })

  it('demand a purge before an epoch comes back that an item may still carry', () => {
    const flush = new FlushState()
    for (let round = 0; round < 3; round++) {
      // What is in the store at this point carries this epoch or, after a purge, none at all.
      const carried = new Set([flush.epoch])
      for (;;) {
        const purge = flush.begin(0, 0)
        assert.ok(!carried.has(flush.epoch), `epoch ${flush.epoch} comes back`)
        if (purge) break
        carried.add(flush.epoch)
      }
      assert.ok(carried.size > 60_000, 'a purge walks all items: not more often than needed')
      flush.purged()
    }
  })
})
