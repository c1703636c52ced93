import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHeap } from '../../../../src/store/l1/heap.ts'
import * as layout from '../../../../src/store/l1/layout.ts'

const ITEM = 16
const KEY_BYTES = 250
const VALUE_BYTES = 1000
const LARGEST_WORD = 0xffff_ffff

function fresh(): Int32Array {
  const { words } = createHeap(64, 4096, 1)
  words.fill(-1)
  layout.initialize(words, ITEM, -5, KEY_BYTES, VALUE_BYTES, 63)
  return words
}

/** What every field of an item says. */
function fields(words: Int32Array): Record<string, number | boolean> {
  return {
    hashNext: layout.hashNext(words, ITEM),
    hash: layout.hashOf(words, ITEM),
    queuePrev: layout.queuePrev(words, ITEM),
    queueNext: layout.queueNext(words, ITEM),
    expiresAt: layout.expiresAt(words, ITEM),
    accessedAt: layout.accessedAt(words, ITEM),
    casLo: layout.casLo(words, ITEM),
    casHi: layout.casHi(words, ITEM),
    clientFlags: layout.clientFlags(words, ITEM),
    valueBytes: layout.valueBytes(words, ITEM),
    keyBytes: layout.keyBytes(words, ITEM),
    sizeClass: layout.sizeClass(words, ITEM),
    pins: layout.pins(words, ITEM),
    allocated: layout.hasState(words, ITEM, layout.STATE.ALLOCATED),
    linked: layout.hasState(words, ITEM, layout.STATE.LINKED),
    fetched: layout.hasState(words, ITEM, layout.STATE.FETCHED),
    flushEpoch: layout.flushEpoch(words, ITEM),
  }
}

const INITIAL = {
  hashNext: 0,
  hash: -5,
  queuePrev: 0,
  queueNext: 0,
  expiresAt: 0,
  accessedAt: 0,
  casLo: 0,
  casHi: 0,
  clientFlags: 0,
  valueBytes: VALUE_BYTES,
  keyBytes: KEY_BYTES,
  sizeClass: 63,
  pins: 1,
  allocated: true,
  linked: false,
  fetched: false,
  flushEpoch: 0,
}

describe('the header of an item', () => {
  it('says after its initialization what it was given, whatever was there before', () => {
    assert.deepEqual(fields(fresh()), INITIAL)
  })

  const changes: readonly (readonly [string, (words: Int32Array) => void, object])[] = [
    ['hashNext', (w) => layout.setHashNext(w, ITEM, 7), { hashNext: 7 }],
    ['queuePrev', (w) => layout.setQueuePrev(w, ITEM, 7), { queuePrev: 7 }],
    ['queueNext', (w) => layout.setQueueNext(w, ITEM, 7), { queueNext: 7 }],
    ['expiresAt', (w) => layout.setExpiresAt(w, ITEM, LARGEST_WORD), { expiresAt: LARGEST_WORD }],
    [
      'accessedAt',
      (w) => layout.setAccessedAt(w, ITEM, LARGEST_WORD),
      { accessedAt: LARGEST_WORD },
    ],
    [
      'cas',
      (w) => layout.setCas(w, ITEM, LARGEST_WORD - 1, LARGEST_WORD),
      { casHi: LARGEST_WORD - 1, casLo: LARGEST_WORD },
    ],
    [
      'clientFlags',
      (w) => layout.setClientFlags(w, ITEM, LARGEST_WORD),
      { clientFlags: LARGEST_WORD },
    ],
    ['linked', (w) => layout.addState(w, ITEM, layout.STATE.LINKED), { linked: true }],
    ['fetched', (w) => layout.addState(w, ITEM, layout.STATE.FETCHED), { fetched: true }],
    ['allocated', (w) => layout.removeState(w, ITEM, layout.STATE.ALLOCATED), { allocated: false }],
    ['a pin more', (w) => layout.addPin(w, ITEM), { pins: 2 }],
    ['a pin less', (w) => layout.removePin(w, ITEM), { pins: 0 }],
    [
      'flushEpoch',
      (w) => layout.setFlushEpoch(w, ITEM, layout.EPOCHS - 1),
      { flushEpoch: layout.EPOCHS - 1 },
    ],
  ]
  for (const [name, change, expected] of changes) {
    it(`keeps all else as it was when one field changes: ${name}`, () => {
      const words = fresh()
      const before = words.slice()
      change(words)
      assert.deepEqual(fields(words), { ...INITIAL, ...expected })
      const first = (ITEM * 8) / 4
      const last = first + layout.HEADER_BYTES / 4
      assert.deepEqual(words.subarray(0, first), before.subarray(0, first))
      assert.deepEqual(words.subarray(last), before.subarray(last))
    })
  }

  it('counts pins up to its limit and back, beside the size class', () => {
    const words = fresh()
    for (let i = 1; i < layout.PINS_MAX; i++) layout.addPin(words, ITEM)
    assert.deepEqual(fields(words), { ...INITIAL, pins: layout.PINS_MAX })
    for (let i = 0; i < layout.PINS_MAX; i++) layout.removePin(words, ITEM)
    assert.deepEqual(fields(words), { ...INITIAL, pins: 0 })
  })

  it('replaces an epoch by another and keeps the state beside it', () => {
    const words = fresh()
    layout.addState(words, ITEM, layout.STATE.FETCHED)
    for (const epoch of [0xffff, 0x8000, 1, 0]) {
      layout.setFlushEpoch(words, ITEM, epoch)
      assert.deepEqual(fields(words), { ...INITIAL, fetched: true, flushEpoch: epoch })
    }
  })

  it('is followed by the key and then the value', () => {
    const words = fresh()
    assert.equal(layout.keyStart(ITEM), ITEM * 8 + layout.HEADER_BYTES)
    assert.equal(layout.valueStart(words, ITEM), layout.keyStart(ITEM) + KEY_BYTES)
    assert.equal(
      layout.itemBytes(KEY_BYTES, VALUE_BYTES),
      layout.valueStart(words, ITEM) + VALUE_BYTES - ITEM * 8,
    )
  })

  it('has no state left in a free chunk', () => {
    const words = fresh()
    layout.initializeFree(words, ITEM, 99)
    assert.equal(layout.hashNext(words, ITEM), 99)
    assert.ok(!layout.hasState(words, ITEM, layout.STATE.ALLOCATED | layout.STATE.LINKED))
  })
})
