import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawFlags, drawKeys, seededRandom } from '../../bench/wire/draws.ts'

const DRAWS = 200_000

test('the same seed draws the same keys, another seed others', () => {
  const first = drawKeys(100, 1000, 0.99, seededRandom(1))
  assert.deepEqual(drawKeys(100, 1000, 0.99, seededRandom(1)), first)
  assert.notDeepEqual(drawKeys(100, 1000, 0.99, seededRandom(2)), first)
})

test('exponent 0 draws all keys equally often', () => {
  const counts = countsOf(drawKeys(DRAWS, 10, 0, seededRandom(3)), 10)
  for (const count of counts) assert.ok(Math.abs(count / DRAWS - 0.1) < 0.01, String(count))
})

test('exponent 1 draws the key of rank r in proportion to 1/r', () => {
  const counts = countsOf(drawKeys(DRAWS, 4, 1, seededRandom(4)), 4)
  const sum = 1 + 1 / 2 + 1 / 3 + 1 / 4
  for (const [i, count] of counts.entries())
    assert.ok(Math.abs(count / DRAWS - 1 / (i + 1) / sum) < 0.01, String(count))
})

test('flags are set with their probability', () => {
  const set = drawFlags(DRAWS, 1 / 11, seededRandom(5)).reduce((sum, flag) => sum + flag, 0)
  assert.ok(Math.abs(set / DRAWS - 1 / 11) < 0.005)
})

function countsOf(draws: Uint32Array, keyCount: number): number[] {
  const counts: number[] = Array.from({ length: keyCount }, () => 0)
  for (const key of draws) counts[key] = counts[key]! + 1
  return counts
}
