import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../src/bytes/input-window.ts'

it('an input window that shows another range has searched none of it', () => {
  const window = new InputWindow(bytesOf(Buffer.alloc(8)))
  assert.equal(window.length, 0)
  const other = bytesOf(Buffer.alloc(16))
  window.searched = 12
  window.show(other, 3, 10)
  assert.equal(window.bytes, other)
  assert.equal(window.length, 7)
  assert.equal(window.searched, 3)
  window.start += 2
  assert.equal(window.length, 5)
})
