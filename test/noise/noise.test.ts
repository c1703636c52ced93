/** Noise for some seconds; `npm run test:noise` is the long run. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { problemsOf } from './problems.ts'
import { runNoise } from './run.ts'
import type { NoiseResult } from './run.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url))

describe('noise', () => {
  it('disturbs neither the server nor a client that behaves', async () => {
    const result = await runNoise({
      program: PROGRAM,
      args: ['-m', '16', '--max-disk-size', '64MB'],
      seed: 1,
      clients: 50,
      quietMs: 500,
      noiseMs: 6000,
      say: () => undefined,
    })
    // In so short a time memory has not come to rest, and other tests run beside this one.
    const calm: NoiseResult = { ...result, laterMb: result.lastMb, noisyP99Ms: 0 }
    assert.deepEqual(problemsOf(calm), [])
    assert.ok(result.bytesReceived > 100_000, `${result.bytesReceived} bytes of replies`)
  })

  it('is told from quiet by each of its signs', () => {
    const calm: NoiseResult = {
      connections: 1,
      bytesSent: 1,
      bytesReceived: 1,
      complaints: '',
      wrongReplies: 0,
      quietP99Ms: 1,
      noisyP99Ms: 5,
      laterMb: 100,
      lastMb: 110,
    }
    assert.deepEqual(problemsOf(calm), [])
    const signs = [
      [{ complaints: 'ended by SIGSEGV' }, /SIGSEGV/],
      [{ wrongReplies: 2 }, /2 wrong replies/],
      [{ lastMb: 120 }, /from 100 to 120 MB/],
      [{ noisyP99Ms: 16 }, /p99 is 16\.00 ms/],
      [{ noisyP99Ms: Number.NaN }, /p99/],
    ] as const
    for (const [sign, sentence] of signs) {
      const problems = problemsOf({ ...calm, ...sign })
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? '', sentence)
    }
  })
})
