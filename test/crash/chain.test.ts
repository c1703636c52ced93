/** The whole crash test, against a server with a fault on demand: each is found, none is invented. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runChain } from './chain.ts'
import type { ChainResult } from './chain.ts'
import { FAKE_FAULTS, FakeLauncher } from './fake-server.ts'
import type { FakeFault } from './fake-server.ts'

/** Chains that a fault may need to show; most need one. */
const CHAINS_MAX = 25
const ROUNDS = 4

/** What a fault is to be reported as. */
const REPORTED: Readonly<Record<Exclude<FakeFault, 'none'>, string>> = {
  'restores older values': 'stale',
  'resurrects deletes': 'resurrected',
  'resurrects flushes': 'resurrected',
  'revives expired items': 'resurrected',
  'forgets touches': 'resurrected',
  'repeats cas values': 'cas',
  'swaps bytes': 'wrong',
  'swaps flags': 'wrong',
  'loses old items': 'lost',
  'loses items in clean stops': 'lost',
  'serves stale while running': 'stale',
}

function chain(fault: FakeFault, seed: number): Promise<ChainResult> {
  return runChain({
    launcher: new FakeLauncher(fault),
    policy: 'write-through',
    isMemoryOnly: false,
    dataDir: '',
    seed,
    rounds: ROUNDS,
    windowMs: 0,
    loadMaxMs: 250,
  })
}

describe('a crash test of a server', () => {
  it('without faults finds none', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { model, rounds } = await chain('none', seed)
      assert.deepEqual(model.findings, [])
      assert.equal(rounds, ROUNDS)
      assert.ok(model.tally.checked > 500)
    }
  })

  for (const fault of FAKE_FAULTS) {
    if (fault === 'none') continue
    it(`that ${fault} finds that`, async () => {
      const found = new Set<string>()
      for (let seed = 1; seed <= CHAINS_MAX && !found.has(REPORTED[fault]); seed++) {
        const { model } = await chain(fault, seed)
        for (const finding of model.findings) found.add(finding.fault)
      }
      assert.ok(found.has(REPORTED[fault]), `only ${[...found].join()} in ${CHAINS_MAX} chains`)
    })
  }
})
