/**
 * The store under each eviction policy: whatever the order, nothing is lost that was not evicted,
 * every invariant holds after each step, and the order holds every item once.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { checkIntegrity } from '../../src/store/l1/integrity.ts'
import { POLICY_NAMES } from '../../src/store/l1/policy/registry.ts'
import { TestStore, valueOf } from '../helpers/store.ts'

const anyStep = fc.record({
  call: fc.constantFrom('set', 'set', 'set', 'touch', 'touch', 'delete', 'again', 'cold', 'walk'),
  key: fc.nat(120),
  size: fc.oneof(fc.nat(100), fc.nat(100), fc.nat(2000), fc.nat(9000)),
})

for (const policy of POLICY_NAMES) {
  for (const entriesMax of [0, 40]) {
    describe(`a store with ${policy}${entriesMax === 0 ? '' : ` and ${entriesMax} items`}`, () => {
      it('holds what was put in and not evicted, under random commands', () => {
        let evictions = 0
        fc.assert(
          fc.property(
            fc.array(anyStep, { minLength: 100, maxLength: 400, size: 'max' }),
            (steps) => {
              const real = new TestStore({ policy, entriesMax })
              const model = new Map<string, Buffer>()
              real.onEvicting = (key) => {
                assert.ok(model.delete(key), `${key} is evicted but is not there`)
                evictions++
              }
              for (const [i, { call, key: number, size }] of steps.entries()) {
                const key = `k${number}`
                const value = valueOf(key, i, size)
                if (call === 'set') {
                  assert.ok(real.set(key, value))
                  model.set(key, value)
                } else if (call === 'touch') {
                  assert.equal(real.touch(key), model.has(key))
                } else if (call === 'delete') {
                  assert.equal(real.delete(key), model.delete(key))
                } else if (call === 'walk') {
                  assert.deepEqual(real.order().toSorted(), [...model.keys()].toSorted())
                } else if (!model.has(key)) {
                  const item = real.reserve(key, value)
                  assert.ok(item !== 0 && real.store.linkAgain(item, call === 'again'))
                  model.set(key, value)
                  if (call === 'cold') assert.equal(real.store.policy.victim(), item)
                }
                checkIntegrity(real.store)
              }
              for (const [key, value] of model) assert.deepEqual(real.get(key), value)
            },
          ),
          { numRuns: 15 },
        )
        assert.ok(evictions > 100, `${evictions}`)
      })
    })
  }
}
