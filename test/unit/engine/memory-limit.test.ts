/** How far the limit of memory can be raised while the server runs. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesToReserve } from '../../../src/engine/memory-limit.ts'

const MB = 2 ** 20
const GB = 2 ** 30

describe('the address space for a limit of memory', () => {
  it('is four times the limit, and enough to try out a small one', () => {
    assert.equal(bytesToReserve(100 * MB), 400 * MB)
    assert.equal(bytesToReserve(8 * GB), 32 * GB)
    assert.equal(bytesToReserve(3 * MB), 256 * MB)
  })

  it('makes no buffer of 2 GiB where the limit does not need one', () => {
    for (const limit of [512 * MB, GB, 2 * GB - 4 * MB]) {
      assert.ok(bytesToReserve(limit) >= limit)
      assert.ok(bytesToReserve(limit) + MB < 2 * GB)
    }
  })
})
