import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { History, rateOf, shareOf } from '../../../web/history.ts'

interface Sample {
  readonly life: number
  readonly count: number
}

function historyOfCounts(): History<Sample> {
  return new History<Sample>(
    [(now, before, seconds) => rateOf(now.count, before.count, seconds), (now) => now.count],
    (now, before) => now.life === before.life,
  )
}

describe('the history of the page', () => {
  it('makes a sample of each two documents', () => {
    const history = historyOfCounts()
    history.add({ life: 1, count: 100 }, 10, 2)
    assert.deepEqual(history.times, [])
    history.add({ life: 1, count: 130 }, 12, 2)
    history.add({ life: 1, count: 140 }, 14, 2)
    assert.deepEqual(history.times, [12, 14])
    assert.deepEqual(history.column(0), [15, 5])
    assert.deepEqual(history.column(1), [130, 140])
    assert.equal(history.latest(0), 5)
  })

  it('knows nothing of the time in which the server began anew', () => {
    const history = historyOfCounts()
    history.add({ life: 1, count: 100 }, 10, 2)
    history.add({ life: 2, count: 500 }, 12, 2)
    history.add({ life: 2, count: 502 }, 14, 2)
    assert.deepEqual(history.column(0), [null, 1])
  })

  it('begins anew itself where the clock of the new life is behind', () => {
    const history = historyOfCounts()
    for (const atS of [10, 12, 14]) history.add({ life: 1, count: atS }, atS, 2)
    history.add({ life: 2, count: 0 }, 5, 2)
    history.add({ life: 2, count: 4 }, 7, 2)
    assert.deepEqual(history.times, [5, 7])
    assert.deepEqual(history.column(0), [null, 2])
  })

  it('has no rate where a counter was set to zero', () => {
    const history = historyOfCounts()
    history.add({ life: 1, count: 100 }, 10, 2)
    history.add({ life: 1, count: 3 }, 12, 2)
    assert.deepEqual(history.column(0), [null])
    assert.deepEqual(history.column(1), [3])
  })

  it('has a gap where nobody looked, and the mean rate after it', () => {
    const history = historyOfCounts()
    history.add({ life: 1, count: 0 }, 10, 2)
    history.add({ life: 1, count: 1000 }, 110, 2)
    assert.deepEqual(history.times, [12, 110])
    assert.deepEqual(history.column(0), [null, 10])
  })

  it('takes the same document once', () => {
    const history = historyOfCounts()
    for (let i = 0; i < 3; i++) history.add({ life: 1, count: 7 }, 10, 2)
    assert.deepEqual(history.times, [])
  })

  it('keeps a bounded number of samples', () => {
    const history = historyOfCounts()
    for (let atS = 0; atS < 2000; atS++) history.add({ life: 1, count: atS }, atS, 1)
    assert.equal(history.times.length, 450)
    assert.equal(history.column(0).length, 450)
    assert.equal(history.times.at(-1), 1999)
  })
})

describe('a share', () => {
  it('is of what came, and none where nothing came', () => {
    assert.equal(shareOf(3, 3, 1), 0.75)
    assert.equal(shareOf(0, 0, 0), null)
    assert.equal(shareOf(null, null, 5), null)
  })
})
