import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expiryInstant, isExpired } from '../../../src/engine/expiry.ts'

const NOW_S = 1_800_000_000
const THIRTY_DAYS_S = 2_592_000

describe('the instant of an expiry', () => {
  const cases: readonly (readonly [string, number, number])[] = [
    ['0 is never', 0, 0],
    ['1 is a second from now', 1, NOW_S + 1],
    ['thirty days are relative', THIRTY_DAYS_S, NOW_S + THIRTY_DAYS_S],
    ['a second more is an instant of 1970', THIRTY_DAYS_S + 1, THIRTY_DAYS_S + 1],
    ['now is now', NOW_S, NOW_S],
    ['the last instant of 31 bits', 0x7fff_ffff, 0x7fff_ffff],
  ]
  for (const [name, exptimeS, instantS] of cases) {
    it(name, () => assert.equal(expiryInstant(exptimeS, NOW_S), instantS))
  }

  it('of a negative number has passed, whatever the time', () => {
    for (const exptimeS of [-1, -2, -THIRTY_DAYS_S - 1, -0x8000_0000]) {
      for (const nowS of [1, NOW_S]) assert.ok(isExpired(expiryInstant(exptimeS, nowS), nowS))
    }
  })
})

describe('an item', () => {
  it('without expiry never expires', () => {
    assert.ok(!isExpired(0, 0))
    assert.ok(!isExpired(0, 0xffff_ffff))
  })

  it('lives until its instant and not in it', () => {
    assert.ok(!isExpired(NOW_S + 1, NOW_S))
    assert.ok(isExpired(NOW_S, NOW_S))
    assert.ok(isExpired(NOW_S - 1, NOW_S))
  })

  it('with an absolute expiry in the past is over at once', () => {
    assert.ok(isExpired(expiryInstant(THIRTY_DAYS_S + 1, NOW_S), NOW_S))
  })
})
