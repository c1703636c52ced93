/** Unit tests of what replies may pin. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ReplyPins } from '../../../src/net/reply-pins.ts'

/** Counts pins, as many as are allowed. */
class Owner {
  readonly pinned: number[] = []
  refuses = false

  pin(item: number): boolean {
    if (this.refuses) return false
    this.pinned.push(item)
    return true
  }

  unpin(item: number): void {
    this.pinned.splice(this.pinned.indexOf(item), 1)
  }
}

describe('pins of replies', () => {
  it('take an eighth of the memory, and no more', () => {
    const owner = new Owner()
    const pins = new ReplyPins(owner, () => 8000)
    assert.equal(pins.pin(1, 600), true)
    assert.equal(pins.pin(2, 401), false)
    assert.equal(pins.pin(3, 400), true)
    assert.equal(pins.pin(4, 1), false)
    assert.deepEqual(owner.pinned, [1, 3])
  })

  it('give their room back', () => {
    const owner = new Owner()
    const pins = new ReplyPins(owner, () => 8000)
    pins.pin(1, 1000)
    pins.unpin(1, 1000)
    assert.deepEqual(owner.pinned, [])
    assert.equal(pins.pin(2, 1000), true)
  })

  it('count nothing where the owner has no pin left', () => {
    const owner = new Owner()
    const pins = new ReplyPins(owner, () => 8000)
    owner.refuses = true
    assert.equal(pins.pin(1, 1000), false)
    owner.refuses = false
    assert.equal(pins.pin(1, 1000), true)
  })
})
