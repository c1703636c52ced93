import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HotKeys } from '../../../src/observe/hot-keys.ts'

describe('hot keys', () => {
  it('are those of the window, and of no earlier time', () => {
    const hot = new HotKeys(60_000, 0)
    const keys = (): string[] => hot.top('reads', 10).map(({ key }) => key)
    hot.add('reads', 'old', 5)
    hot.tick(30_000)
    hot.add('reads', 'new', 3)
    assert.deepEqual(keys(), ['old', 'new'])
    hot.tick(59_999)
    assert.deepEqual(keys(), ['old', 'new'])
    hot.tick(60_000)
    assert.deepEqual(keys(), ['new'])
    hot.tick(90_000)
    assert.deepEqual(keys(), [])
  })

  it('are gone at once after nobody looked for longer than the window', () => {
    const hot = new HotKeys(10_000, 0)
    hot.add('misses', 'a', 1)
    hot.tick(600_000)
    assert.deepEqual(hot.top('misses', 10), [])
  })

  it('have the sum of both halves, each ranking its own', () => {
    const hot = new HotKeys(60_000, 0)
    hot.add('bytes', 'a', 100)
    hot.add('writes', 'b', 1)
    hot.tick(30_000)
    hot.add('bytes', 'a', 50)
    assert.deepEqual(hot.top('bytes', 10), [{ key: 'a', count: 150, error: 0 }])
    assert.deepEqual(hot.top('writes', 10), [{ key: 'b', count: 1, error: 0 }])
    hot.clear()
    assert.deepEqual(hot.top('bytes', 10), [])
  })

  it('come first that are surely frequent, and no count is too low', () => {
    const hot = new HotKeys(60_000, 0)
    for (let i = 0; i < 5000; i++) {
      hot.add('reads', `cold${i}`, 1)
      if (i % 10 === 0) hot.add('reads', 'hot', 1)
      if (i === 2500) hot.tick(30_000)
    }
    const [first] = hot.top('reads', 1)
    assert.equal(first?.key, 'hot')
    assert.ok(first.count >= 500 && first.count - first.error <= 500)
    assert.equal(hot.top('reads', 20).length, 20)
  })
})
