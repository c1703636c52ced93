/**
 * Stores as many items as its argument says and prints by how much the heap of the garbage
 * collector has grown. A process of its own: that of the tests is full of other things.
 */
import assert from 'node:assert/strict'
import { TestStore } from '../../../helpers/store.ts'

function collectedHeapBytes(): number {
  assert.ok(globalThis.gc, 'node runs with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

const items = Number(process.argv[2])
const real = new TestStore({ memoryBytesMax: 64 * 2 ** 20, pageBytes: 2 ** 18 })
const value = Buffer.alloc(20, 'v')

// What is compiled and cached on the way is not the items' fault.
for (let i = 0; i < 1000; i++) real.set(`key ${i}`, value)
const before = collectedHeapBytes()
for (let i = 0; i < items; i++) real.set(`key ${i}`, value)
const grownBytes = collectedHeapBytes() - before
console.log(real.store.count, grownBytes)
