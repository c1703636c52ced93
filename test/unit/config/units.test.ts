import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  parseDurationMs,
  parseSize,
  printDurationMs,
  printSize,
} from '../../../src/config/units.ts'

describe('sizes', () => {
  const KB = 1024
  const sizes: readonly (readonly [string | number, number])[] = [
    [0, 0],
    [1000, 1000],
    ['0', 0],
    ['17', 17],
    ['17b', 17],
    ['1k', KB],
    ['1K', KB],
    ['1KB', KB],
    ['1kib', KB],
    ['64MB', 64 * KB ** 2],
    ['64 MB', 64 * KB ** 2],
    ['64m', 64 * KB ** 2],
    ['64MiB', 64 * KB ** 2],
    ['1.5GB', 1.5 * KB ** 3],
    [' 2g ', 2 * KB ** 3],
  ]
  for (const [text, bytes] of sizes) {
    it(`reads ${JSON.stringify(text)} as ${bytes} bytes`, () => {
      assert.equal(parseSize(text), bytes)
    })
  }

  const mistakes = ['', 'k', '-1', '1x', '1kk', '1 000', '0.3k', '1e3', '1T', 'NaN', '9999999999GB']
  for (const text of [...mistakes, -1, 1.5, NaN, Infinity]) {
    it(`does not take ${JSON.stringify(text)} (${String(text)}) for a size`, () => {
      assert.equal(parseSize(text), undefined)
    })
  }

  it('prints the largest unit that divides the number', () => {
    assert.equal(printSize(0), '0')
    assert.equal(printSize(1000), '1000')
    assert.equal(printSize(KB), '1KB')
    assert.equal(printSize(1.5 * KB ** 3), '1536MB')
    assert.equal(printSize(2 * KB ** 3), '2GB')
  })

  it('reads back what it prints', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        assert.equal(parseSize(printSize(bytes)), bytes)
      }),
    )
  })
})

describe('durations', () => {
  const durations: readonly (readonly [string | number, number])[] = [
    [0, 0],
    [30, 30_000],
    [0.5, 500],
    [1.1, 1100],
    ['0', 0],
    ['30', 30_000],
    ['30s', 30_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['7 d', 604_800_000],
  ]
  for (const [text, durationMs] of durations) {
    it(`reads ${JSON.stringify(text)} as ${durationMs} ms`, () => {
      assert.equal(parseDurationMs(text), durationMs)
    })
  }

  for (const text of ['', 's', '-1s', '1w', '1M', '0.5ms', '1h30m', -1, NaN, Infinity]) {
    it(`does not take ${JSON.stringify(text)} (${String(text)}) for a duration`, () => {
      assert.equal(parseDurationMs(text), undefined)
    })
  }

  it('reads back what it prints', () => {
    assert.equal(printDurationMs(0), '0s')
    assert.equal(printDurationMs(90_000), '90s')
    assert.equal(printDurationMs(3_600_000), '1h')
    fc.assert(
      fc.property(fc.nat(10 ** 12), (durationMs) => {
        assert.equal(parseDurationMs(printDurationMs(durationMs)), durationMs)
      }),
    )
  })
})
