/** How much may wait for the writer where memory empties itself onto the disk. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Generation } from '../../../../src/store/l2/generation.ts'
import { Tiers, quickFolder, setText } from '../../../helpers/tiers.ts'

describe('what leaves memory', () => {
  it('makes who stores more wait before a batch is too large for a generation', async (t) => {
    let largestBytes = 0
    const write: Generation['write'] = Reflect.get(Generation.prototype, 'write')
    t.mock.method(
      Generation.prototype,
      'write',
      function (this: Generation, ...args: Parameters<Generation['write']>) {
        const bytes = args[0].reduce((sum, pack) => sum + pack.bytes.length, 0)
        largestBytes = Math.max(largestBytes, bytes)
        return write.apply(this, args)
      },
    )
    const settings = {
      'l1.max_memory': '1MB',
      'server.max_item_size': '100KB',
      'l2.max_disk_size': '16MB',
      'l2.write_policy': 'on-evict',
      'l2.max_staged': '64MB',
      'compression.enabled': 'false',
    }
    const tiers = await Tiers.open(quickFolder(t), { settings })
    const value = 'v'.repeat(10_000)
    for (let i = 0; i < 1500; i++) await tiers.ask(setText(`k${i}`, value))
    await tiers.written()
    const { generationBytes } = tiers.tier.l2.list
    assert.ok(largestBytes > 0)
    assert.ok(largestBytes <= generationBytes / 2, `${largestBytes} of ${generationBytes}`)
    await tiers.close()
  })
})
