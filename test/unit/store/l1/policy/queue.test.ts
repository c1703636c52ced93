import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHeap } from '../../../../../src/store/l1/heap.ts'
import { ItemQueue } from '../../../../../src/store/l1/policy/queue.ts'

/** A queue of four items, pushed in the order in which they stand here. */
const ITEMS = [8, 16, 24, 32] as const

function filled(): ItemQueue {
  const queue = new ItemQueue(createHeap(64, 4096, 1))
  for (const item of ITEMS) queue.pushFront(item)
  return queue
}

function fromTail(queue: ItemQueue): number[] {
  const items: number[] = []
  for (let item = queue.tail; item !== 0; item = queue.newer(item)) items.push(item)
  assert.equal(items.at(-1) ?? 0, queue.head)
  return items
}

describe('a queue of items', () => {
  it('has the first that was pushed at its tail', () => {
    assert.deepEqual(fromTail(filled()), [8, 16, 24, 32])
  })

  for (const item of ITEMS) {
    const others = ITEMS.filter((other) => other !== item)

    it(`closes the gap that item ${item} leaves`, () => {
      const queue = filled()
      queue.remove(item)
      assert.deepEqual(fromTail(queue), others)
      // The links towards the tail are right if removing from the other side works too.
      for (const other of others.toReversed()) queue.remove(other)
      assert.deepEqual(fromTail(queue), [])
      assert.equal(queue.head, 0)
    })

    it(`moves item ${item} to the front`, () => {
      const queue = filled()
      queue.moveToFront(item)
      assert.deepEqual(fromTail(queue), [...others, item])
    })

    it(`replaces item ${item} where it stands`, () => {
      const queue = filled()
      queue.replace(item, 40)
      const expected = ITEMS.map((other) => (other === item ? 40 : other))
      assert.deepEqual(fromTail(queue), expected)
      for (const other of expected.toReversed()) queue.remove(other)
      assert.deepEqual(fromTail(queue), [])
    })
  }
})
