import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InflightBytes } from '../../../src/net/inflight-bytes.ts'
import type { InflightHolder } from '../../../src/net/inflight-bytes.ts'

interface FakeHolder extends InflightHolder {
  readonly name: string
}

function fixture(bytesMax: number) {
  const destroyed: string[] = []
  const cut: number[] = []
  const inflight = new InflightBytes(bytesMax, (bytes) => cut.push(bytes))
  const holder = (name: string): FakeHolder => ({ name, destroy: () => void destroyed.push(name) })
  return { inflight, holder, destroyed, cut }
}

describe('the bytes that are under way', () => {
  it('are what each client had when it was noted last', () => {
    const { inflight, holder, destroyed } = fixture(100)
    const [a, b] = [holder('a'), holder('b')]
    inflight.note(a, 60)
    inflight.note(b, 30)
    assert.equal(inflight.bytes, 90)
    inflight.note(a, 10)
    inflight.note(b, 90)
    assert.equal(inflight.bytes, 100, 'the limit itself is not too much')
    inflight.note(a, 0)
    inflight.note(a, 0)
    inflight.note(b, 0)
    assert.equal(inflight.bytes, 0)
    assert.deepEqual(destroyed, [])
  })

  it('cost the client that has most its connection, and others until it is enough', () => {
    const { inflight, holder, destroyed, cut } = fixture(100)
    for (const [name, bytes] of [
      ['a', 20],
      ['b', 50],
      ['c', 30],
    ] as const) {
      inflight.note(holder(name), bytes)
    }
    inflight.note(holder('d'), 40)
    assert.deepEqual([destroyed, cut, inflight.bytes], [['b'], [50], 90])
    const e = holder('e')
    inflight.note(e, 1000)
    assert.deepEqual([destroyed, inflight.bytes], [['b', 'e'], 90], 'also the one that came last')
    inflight.note(e, 0)
    assert.equal(inflight.bytes, 90, 'it has nothing any more')
  })

  it('have no limit if it is 0', () => {
    const { inflight, holder, destroyed } = fixture(0)
    inflight.note(holder('a'), 1e12)
    assert.deepEqual([destroyed, inflight.bytes], [[], 1e12])
  })
})
