import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readColumns, readLines, readOracle } from '../../bench/hits/formats.ts'
import { generate } from '../../bench/hits/generators.ts'
import { parseSize } from '../../bench/hits/options.ts'
import { parseReferences } from '../../bench/hits/references.ts'
import { replay } from '../../bench/hits/replay.ts'
import { simulateHits } from '../../bench/hits/simulators.ts'
import { traceOfKeys } from '../../bench/hits/trace.ts'

/** With sizes, sets, deletes and expiry. */
function lively(): string {
  const zipf = generate('zipf:keys=500,requests=20000,exponent=0.9,drift=0.01', 5)
  return [...zipf.keys]
    .map((key, i) => {
      const op = i % 17 === 0 ? 'set' : i % 41 === 0 ? 'delete' : 'get'
      return `k${key},${(key * 37) % 700},${key % 5 === 0 ? 3600 : 0},${op}`
    })
    .join('\n')
}

const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer)

describe('the replay of a trace', () => {
  it('has as many hits with lru and fifo as the exact simulators', () => {
    const lines = readLines('lively', lively())
    const timesMs = Uint32Array.from({ length: lines.keys.length }, (_, i) => i * 900)
    const trace = { ...lines, timesMs }
    for (const items of [20, 100, 300]) {
      for (const policy of ['lru', 'fifo'] as const) {
        const { hits, refused } = replay(trace, policy, { unit: 'items', amount: items }, 9)
        assert.equal(hits, simulateHits(trace, policy, items), `${policy} ${items}`)
        assert.equal(refused, 0)
      }
    }
  })

  it('counts bytes, and keeps to a size in memory', () => {
    const lines = readLines('two', 'a,100\nb,300\na,100\na,100\nb,300')
    const result = replay(lines, 'lru', { unit: 'bytes', amount: 2 ** 20 }, 1)
    assert.deepEqual([result.gets, result.hits], [5, 3])
    assert.deepEqual([result.getBytes, result.hitBytes], [900, 500])
    const loop = generate('loop:keys=20000,requests=60000', 1)
    const { hits } = replay(
      { ...loop, sizeDefault: 1000 },
      'lru',
      { unit: 'bytes', amount: 2 ** 20 },
      1,
    )
    assert.equal(hits, 0)
  })
})

describe('the simulators', () => {
  it('tell LRU from FIFO', () => {
    const trace = traceOfKeys('t', Uint32Array.of(0, 1, 0, 2, 0, 1), 3)
    assert.equal(simulateHits(trace, 'lru', 2), 2)
    assert.equal(simulateHits(trace, 'fifo', 2), 1)
    assert.equal(simulateHits(trace, 'fifo', 3), 3)
  })
})

describe('the readers of traces', () => {
  it('read columns', () => {
    const header = Buffer.alloc(32)
    header.write('RCT1')
    for (const [i, word] of [2, 5, 15, 77].entries()) header.writeUInt32LE(word, 4 + 4 * i)
    const columns = [words(4, 1), words(10, 20), Buffer.of(0, 1), words(60, 0), words(5, 1500)]
    const trace = readColumns('t', Buffer.concat([header, ...columns]))
    assert.deepEqual([...trace.keys], [4, 1])
    assert.deepEqual([trace.keyCount, trace.sizeDefault], [5, 77])
    assert.deepEqual([...trace.sizes!], [10, 20])
    assert.deepEqual([...trace.ops!], [0, 1])
    assert.deepEqual([...trace.ttlsS!], [60, 0])
    assert.deepEqual([...trace.timesMs!], [5, 1500])
    assert.throws(() => readColumns('t', header), /ends too early/)
  })

  it('read records of oracleGeneral', () => {
    const bytes = Buffer.alloc(72)
    for (const [i, [timeS, key, size]] of [
      [100, 2n ** 60n, 7],
      [101, 3n, 8],
      [103, 2n ** 60n, 7],
    ].entries()) {
      bytes.writeUInt32LE(Number(timeS), i * 24)
      bytes.writeBigUInt64LE(BigInt(key!), i * 24 + 4)
      bytes.writeUInt32LE(Number(size), i * 24 + 12)
    }
    const trace = readOracle('t', bytes)
    assert.deepEqual([...trace.keys], [0, 1, 0])
    assert.deepEqual([...trace.sizes!], [7, 8, 7])
    assert.deepEqual([...trace.timesMs!], [0, 1000, 3000])
    assert.equal(trace.keyCount, 2)
  })

  it('read lines, and say which one they do not understand', () => {
    const trace = readLines('t', '# a comment\nx\ny,5\n\nx,6,30,SET\r\ny,,,delete\n')
    assert.deepEqual([...trace.keys], [0, 1, 0, 1])
    assert.deepEqual([...trace.sizes!], [0, 5, 6, 0])
    assert.deepEqual([...trace.ttlsS!], [0, 0, 30, 0])
    assert.deepEqual([...trace.ops!], [0, 0, 1, 2])
    for (const line of ['x,big', 'x,1,2,peek', ',1']) {
      assert.throws(() => readLines('t', line), /is not key/, line)
    }
  })

  it('take the references from a table', () => {
    const table =
      '| trace | size | C | OPT | best | fifo | lru |\n|---|---|---|---|---|---|---|\n' +
      '| w106 | 1% | 917 | 85.77 | 82.90 2q | 78.87 | 80.89 | 1 |\n'
    const expected = {
      trace: 'w106',
      capacity: 917,
      best: 82.9,
      bestName: '2q',
      fifo: 78.87,
      lru: 80.89,
    }
    assert.deepEqual(parseReferences(table), [expected])
  })
})

describe('traces that are made', () => {
  it('are the same for the same seed', () => {
    const text = 'zipf:keys=100,requests=500+loop:keys=10,requests=300/scan:requests=50'
    assert.deepEqual(generate(text, 3).keys, generate(text, 3).keys)
    assert.notDeepEqual(generate(text, 3).keys, generate(text, 4).keys)
  })

  it('mix requests of both parts, each in its order, and have phases one after the other', () => {
    const { keys, keyCount } = generate(
      'loop:keys=10,requests=300+scan:requests=100/scan:requests=5',
      1,
    )
    assert.equal(keyCount, 115)
    const mixed = Array.from(keys.subarray(0, 400))
    assert.deepEqual(Array.from(keys.subarray(400)), [110, 111, 112, 113, 114])
    const loop = mixed.filter((key) => key < 10)
    assert.deepEqual(
      loop,
      Array.from({ length: 300 }, (_, i) => i % 10),
    )
    const scan = mixed.filter((key) => key >= 10)
    assert.deepEqual(
      scan,
      Array.from({ length: 100 }, (_, i) => 10 + i),
    )
    assert.ok(mixed.slice(0, 100).some((key) => key >= 10))
  })

  it('drift: what is popular moves on', () => {
    const { keys, keyCount } = generate('zipf:keys=100,requests=1000,exponent=1,drift=0.5', 1)
    assert.equal(keyCount, 600)
    assert.ok(keys.slice(0, 100).every((key) => key < 150))
    assert.ok(keys.slice(900).every((key) => key >= 450))
  })

  it('have values of two lengths, each key always the same one', () => {
    const part = 'zipf:keys=500,requests=5000,small=10,large=9000,share=0.2'
    const { keys, sizes } = generate(`${part}+loop:keys=5,requests=100`, 3)
    const sizeOf = new Map<number, number>()
    for (const [i, key] of keys.entries()) {
      const size = sizes![i]!
      assert.equal(sizeOf.get(key) ?? size, size)
      sizeOf.set(key, size)
    }
    const large = [...sizeOf.values()].filter((size) => size === 9000).length
    assert.ok(large > 0.1 * sizeOf.size && large < 0.3 * sizeOf.size, `${large}`)
    assert.equal([...sizeOf.values()].filter((size) => size === 0).length, 5)
    assert.equal(generate('loop:keys=5,requests=100', 1).sizes, null)
    assert.ok(generate(`loop:requests=10/${part}`, 1).sizes!.includes(9000))
  })

  it('say what they do not understand', () => {
    for (const text of ['zipf:keys', 'zipf:size=3', 'loop:keys=-1']) {
      assert.throws(() => generate(text, 1), /takes/, text)
    }
  })
})

describe('the program', () => {
  it('prints a line for each policy and size', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const given = ['zipf:keys=2000,requests=20000', '--size', '5%,64MB', '--policy', 'lru,hybrid']
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'bench/hits/main.ts', ...given],
      { cwd: root, encoding: 'utf8' },
    )
    assert.equal(status, 0)
    assert.equal(stdout.split('\n').filter((line) => line.startsWith('zipf')).length, 4)
    assert.match(stdout, / lru .* exact$/m)
  })

  it('reads sizes', () => {
    assert.deepEqual(parseSize('5%'), { text: '5%', unit: 'share', amount: 0.05 })
    assert.deepEqual(parseSize('1000'), { text: '1000', unit: 'items', amount: 1000 })
    assert.deepEqual(parseSize('1.5MB'), { text: '1.5MB', unit: 'bytes', amount: 1.5 * 2 ** 20 })
    for (const text of ['', '0', 'MB', '5TB']) assert.throws(() => parseSize(text), /takes/)
  })
})
