import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { bytesOf } from '../../../src/bytes/ascii.ts'
import { TtlRules } from '../../../src/engine/ttl-rules.ts'
import type { TtlSettings } from '../../../src/engine/ttl-rules.ts'

const NOW_S = 1_800_000_000
const DAY_S = 86_400

function rulesOf(settings: Partial<TtlSettings>): TtlRules {
  const rules = new TtlRules()
  rules.replace({ defaultMs: 0, maxMs: 0, rules: [], ...settings })
  return rules
}

/** The instant of a key, seen from now; -1 for never. */
function life(rules: TtlRules, key: string, exptimeS: number): number {
  const bytes = bytesOf(Buffer.from(`??${key}??`))
  const length = Buffer.byteLength(key)
  const instantS = rules.instant(exptimeS, NOW_S, bytes, 2, length)
  return instantS === 0 ? -1 : instantS - NOW_S
}

describe('rules of expiry', () => {
  it('leave everything as the client wrote it where there are none', () => {
    for (const rules of [new TtlRules(), rulesOf({})]) {
      assert.equal(life(rules, 'k', 0), -1)
      assert.equal(life(rules, 'k', 10), 10)
      assert.equal(life(rules, 'k', NOW_S + 5), 5)
      assert.ok(life(rules, 'k', -1) < 0)
    }
  })

  it('give the default to exptime 0 only, and count it from now even if it is above 30 days', () => {
    const rules = rulesOf({ defaultMs: 40 * DAY_S * 1000 })
    assert.equal(life(rules, 'k', 0), 40 * DAY_S)
    assert.equal(life(rules, 'k', 10), 10)
  })

  it('cap what is longer, absolute or without an end', () => {
    const rules = rulesOf({ maxMs: 60_000 })
    assert.equal(life(rules, 'k', 0), 60)
    assert.equal(life(rules, 'k', 59), 59)
    assert.equal(life(rules, 'k', 61), 60)
    assert.equal(life(rules, 'k', NOW_S + 59), 59)
    assert.equal(life(rules, 'k', NOW_S + 1000), 60)
    assert.ok(life(rules, 'k', -1) < -DAY_S)
    assert.ok(life(rules, 'k', NOW_S - 5) === -5)
  })

  it('go by the longest prefix that fits, and take what it leaves out from the rest', () => {
    const rules = rulesOf({
      defaultMs: 5000,
      maxMs: 100_000,
      rules: [
        { prefix: 's', maxMs: 50_000 },
        { prefix: 'sess:', defaultMs: 7000 },
        { prefix: 'sess:é', defaultMs: 0, maxMs: 0 },
      ],
    })
    assert.deepEqual([life(rules, 'x', 0), life(rules, 'x', 200)], [5, 100])
    assert.deepEqual([life(rules, 's', 0), life(rules, 'sess', 200)], [5, 50])
    assert.deepEqual([life(rules, 'sess:', 0), life(rules, 'sess:x', 200)], [7, 100])
    assert.deepEqual([life(rules, 'sess:é', 0), life(rules, 'sess:éa', 200)], [-1, 200])
  })

  it('count in whole seconds, and never in none', () => {
    assert.equal(life(rulesOf({ defaultMs: 1500 }), 'k', 0), 2)
  })

  it('can be replaced by others and by none', () => {
    const rules = rulesOf({ defaultMs: 5000, rules: [{ prefix: 'k', defaultMs: 9000 }] })
    assert.equal(life(rules, 'k', 0), 9)
    rules.replace({ defaultMs: 6000, maxMs: 0, rules: [] })
    assert.equal(life(rules, 'k', 0), 6)
    rules.replace({ defaultMs: 0, maxMs: 0, rules: [] })
    assert.equal(life(rules, 'k', 0), -1)
  })

  it('find the rule that a search through all of them finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 30 }), text, (prefixes, key) => {
        const rules = rulesOf({
          rules: prefixes.map((prefix, i) => ({ prefix, defaultMs: (i + 1) * 1000 })),
        })
        const longest = prefixes
          .filter((prefix) => key.startsWith(prefix))
          .sort((a, b) => b.length - a.length)[0]
        const expected = longest === undefined ? -1 : prefixes.indexOf(longest) + 1
        assert.equal(life(rules, key, 0), expected)
      }),
      { seed: 5 },
    )
  })
})
