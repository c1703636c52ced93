import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from '../../../src/config/nearest.ts'

describe('the nearest known name', () => {
  const known = ['max_memory', 'max_entries', 'bind', 'user']

  it('is the one with the fewest letters to change, whatever their case', () => {
    assert.equal(nearest('max_memry', known), 'max_memory')
    assert.equal(nearest('MAX_ENTRES', known), 'max_entries')
    assert.equal(nearest('bnid', known), 'bind', 'two letters swapped are one change')
    assert.equal(nearest('bxxd', known), undefined, 'two of four letters are too many')
    assert.equal(nearest('bid', known), 'bind')
    assert.equal(nearest('bind', known), 'bind')
  })

  it('is none when nothing is near', () => {
    assert.equal(nearest('compression', known), undefined)
    assert.equal(nearest('', known), undefined)
    assert.equal(nearest('bind', []), undefined)
  })
})
