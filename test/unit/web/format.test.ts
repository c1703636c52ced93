import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  NOTHING,
  ageS,
  bytes,
  bytesPerSecond,
  count,
  durationUs,
  percent,
  perSecond,
  round,
  visible,
  wholeCount,
} from '../../../web/format.ts'

/** With plain spaces, which are easier to read here. */
function plain(text: string): string {
  return text.replaceAll('\u00a0', ' ')
}

describe('numbers on the page', () => {
  it('have three digits and a unit', () => {
    const rows: readonly (readonly [string, string])[] = [
      [count(0), '0'],
      [count(7), '7'],
      [count(0.25), '0.25'],
      [count(42.51), '42.5'],
      [count(999), '999'],
      [count(999.6), '1.00 k'],
      [count(12_345), '12.3 k'],
      [count(4_710_000), '4.71 M'],
      [bytes(0), '0 B'],
      [bytes(1000), '1000 B'],
      [bytes(1024), '1.00 KB'],
      [bytes(64 * 1024 ** 2), '64.0 MB'],
      [bytes(1024 ** 3 - 1), '1.00 GB'],
      [perSecond(1500), '1.50 k/s'],
      [perSecond(3), '3/s'],
      [bytesPerSecond(2048), '2.00 KB/s'],
      [wholeCount(1_234_567), '1,234,567'],
      [durationUs(15), '15 µs'],
      [durationUs(1500), '1.50 ms'],
      [durationUs(2_500_000), '2.50 s'],
    ]
    for (const [shown, expected] of rows) assert.equal(plain(shown), expected)
  })

  it('say all and nothing only where it is so', () => {
    const shown = [0, 0.00001, 0.005, 0.5, 0.9, 0.994, 0.99999, 1, 1.5].map(percent).map(plain)
    const expected = ['0 %', '0.01 %', '0.50 %', '50.0 %', '90.0 %', '99.40 %', '99.99 %']
    assert.deepEqual(shown, [...expected, '100.0 %', '150.0 %'])
  })

  it('are a dash where there is none', () => {
    for (const show of [count, bytes, perSecond, bytesPerSecond, wholeCount, percent, ageS]) {
      for (const amount of [null, undefined, NaN, Infinity]) assert.equal(show(amount), NOTHING)
    }
    assert.equal(durationUs(null), NOTHING)
  })

  it('are short at an axis', () => {
    const shown = [round(bytes(1024)), round(count(2000)), round(percent(0.5)), round(count(2500))]
    assert.deepEqual(shown.map(plain), ['1 KB', '2 k', '50 %', '2.50 k'])
  })

  it('tell an age by its two largest units', () => {
    const rows = [0, 59.9, 60, 3661, 90_000, -5].map(ageS).map(plain)
    assert.deepEqual(rows, ['0 s', '59 s', '1 min 0 s', '1 h 1 min', '1 d 1 h', '0 s'])
  })
})

describe('a text of strangers', () => {
  it('hides nothing: what has no form, or turns the text round, is a number', () => {
    assert.equal(visible('a\tb\u0000'), String.raw`a\u{9}b\u{0}`)
    assert.equal(visible('user\u202egnp.exe'), String.raw`user\u{202e}gnp.exe`)
    assert.equal(visible('zero\u200bwidth\u2028'), String.raw`zero\u{200b}width\u{2028}`)
    assert.equal(visible('\ud800'), String.raw`\u{d800}`)
  })

  it('stays as it is where it can be seen', () => {
    for (const text of ['user:1', 'ключ', '鍵', 'a & b', '<b>']) assert.equal(visible(text), text)
  })
})
