import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeySample } from '../../../src/observe/key-sample.ts'

/** A sample, and turns of so many reads of one key, of which it sees what it wants to. */
function sampled(seed = 7): {
  sample: KeySample
  looked: () => number
  /** So many turns within some seconds. */
  turns: (count: number, reads: number, seconds: number) => void
} {
  let nowMs = 0
  let isOn = false
  let looked = 0
  const sample = new KeySample(
    3_600_000,
    ':',
    seed,
    { elapsedMs: () => nowMs },
    {
      sampleKeys: (is) => {
        isOn = is
      },
    },
  )
  const turns = (count: number, reads: number, seconds: number): void => {
    let tickMs = nowMs
    for (let turn = 0; turn < count; turn++) {
      const seen = isOn ? reads : 0
      for (let i = 0; i < seen; i++) {
        sample.read(i % 2 === 0 ? 'user:hot' : `user:${turn}`, i % 4 !== 0, 10)
        looked++
      }
      sample.turnEnded()
      nowMs += (1000 * seconds) / count
      if (nowMs - tickMs >= 250) {
        tickMs = nowMs
        sample.tick()
      }
    }
  }
  return { sample, looked: () => looked, turns }
}

describe('the sample of keys', () => {
  it('is everything where little is asked', () => {
    const { sample, turns } = sampled()
    turns(1, 1, 0)
    turns(1000, 2, 20)
    assert.equal(sample.every, 1)
    const [first] = sample.hot.top('reads', 1)
    assert.deepEqual(first, { key: 'user:hot', count: 1000, error: 0 })
    const [prefix] = sample.prefixes.top(1)
    assert.deepEqual(prefix, [
      'user',
      { gets: 2000, hits: 1000, sets: 0, deletes: 0, evictions: 0 },
    ])
  })

  it('looks at about as many keys however many there are, and estimates all of them', () => {
    for (const [turnsPerS, reads] of [
      [20_000, 1],
      [3000, 16],
      [1000, 100],
    ] as const) {
      const { sample, looked, turns } = sampled()
      const seconds = 30
      turns(seconds * turnsPerS, reads, seconds)
      const perS = looked() / seconds
      assert.ok(perS > 500 && perS < 2000, `${reads} a turn: ${perS} a second`)
      const [prefix] = sample.prefixes.top(1)
      const share = prefix![1].gets / (seconds * turnsPerS * reads)
      assert.ok(share > 0.85 && share < 1.15, `${reads} a turn: ${share} of all`)
    }
  })

  it('looks at less at once when traffic comes from one moment to the next', () => {
    const { looked, turns } = sampled()
    turns(100_000, 16, 1)
    assert.ok(looked() < 20_000, `${looked()} of 1600000`)
  })

  it('forgets prefixes of which there is little where there are too many', () => {
    const { sample } = sampled()
    for (let i = 0; i < 5000; i++) {
      sample.write(`rare${i}:x`, 1)
      sample.write('common:x', 1)
      sample.evicted('common:y')
    }
    const top = sample.prefixes.top(2000)
    assert.ok(top.length <= 1024)
    assert.deepEqual(top[0], [
      'common',
      { gets: 0, hits: 0, sets: 5000, deletes: 0, evictions: 5000 },
    ])
  })
})
