/** The builder: presets, settings under the names of a program, what is wrong said as for a file. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import { RatMemCache } from '../../../src/index.ts'
import type { Logger, PresetName } from '../../../src/index.ts'
import { testFolder } from '../../helpers/library.ts'

const PRESETS: readonly PresetName[] = ['development', 'production', 'memoryOnly', 'largeValues']

describe('the builder', () => {
  it('prints a configuration that the server reads, whatever was set', (t) => {
    const file = join(testFolder(t), 'printed.toml')
    const text = RatMemCache.builder()
      .preset('production')
      .l1({ maxMemory: 128 * 1024 * 1024, eviction: 'lru' })
      .l2({ dataDir: './elsewhere', writeInterval: 250, syncInterval: '2s' })
      .ttl({ default: '1h', max: 86_400_000 })
      .compression({ minSize: '1KB' })
      .performance({ largeValueThreshold: '1MB' })
      .logging({ level: 'error' })
      .server({ maxItemSize: '2MB' })
      .print()
    writeFileSync(file, text)
    const config = loadConfig({ file, env: {} })
    assert.equal(config.l1.memoryBytesMax, 128 * 1024 * 1024)
    assert.equal(config.l1.eviction, 'lru')
    assert.equal(config.l2.enabled, true)
    assert.equal(config.l2.dataDir, './elsewhere')
    assert.equal(config.l2.writeIntervalMs, 250)
    assert.equal(config.l2.syncIntervalMs, 2000)
    assert.equal(config.l2.warmup, 'recent')
    assert.equal(config.ttl.defaultMs, 3_600_000)
    assert.equal(config.ttl.maxMs, 86_400_000)
    assert.equal(config.compression.valueBytesMin, 1024)
    assert.equal(config.performance.largeValueBytesMin, 1024 * 1024)
    assert.equal(config.logging.level, 'error')
    assert.equal(RatMemCache.builder().file(file).print(), text)
  })

  for (const name of PRESETS) {
    it(`has a preset ${name} that is a good configuration`, (t) => {
      const file = join(testFolder(t), 'preset.toml')
      writeFileSync(file, RatMemCache.builder().preset(name).print())
      assert.equal(loadConfig({ file, env: {} }).l2.enabled, name !== 'memoryOnly')
    })
  }

  it('is memory only and silent where nothing is said', () => {
    const text = RatMemCache.builder().print()
    assert.match(text, /\[l2\][^[]*?\nenabled = false/)
    assert.match(text, /\nlevel = "silent"/)
  })

  it('says everything that is wrong at once, with the place where it was written', () => {
    const builder = RatMemCache.builder().l1({ maxMemory: '1 byte' }).ttl({ default: -5 })
    assert.throws(
      () => builder.print(),
      (error: Error) => {
        assert.match(
          error.message,
          /^l1\(\{ maxMemory \}\): l1\.max_memory: "1 byte" is not a size/m,
        )
        assert.match(error.message, /^ttl\(\{ default \}\): ttl\.default: /m)
        return 'code' in error && error.code === 'CONFIG_INVALID'
      },
    )
    const unknown: Record<string, unknown> = { maxMemmory: '1MB' }
    assert.throws(() => RatMemCache.builder().l1(unknown), { code: 'CONFIG_INVALID' })
    const other: PresetName = JSON.parse('"other"')
    assert.throws(() => RatMemCache.builder().preset(other), /development/)
  })

  it('fails to open what cannot be opened, and leaves nothing open', async (t) => {
    const folder = testFolder(t)
    writeFileSync(join(folder, 'foreign'), 'not ours')
    await assert.rejects(RatMemCache.builder().l2({ dataDir: folder }).build(), {
      code: 'DATA_DIR_FOREIGN',
    })
    const own = testFolder(t)
    const first = await RatMemCache.builder().l2({ dataDir: own }).build()
    await assert.rejects(RatMemCache.builder().l2({ dataDir: own }).build(), {
      code: 'DATA_DIR_IN_USE',
    })
    await first.shutdown()
    const second = await RatMemCache.builder().l2({ dataDir: own }).build()
    await second.shutdown()
  })

  it('lets its settings be those of the cache', async (t) => {
    const cache = await RatMemCache.builder().l1({ maxEntries: 3 }).ttl({ max: 1000 }).build()
    t.after(() => cache.shutdown())
    for (let i = 0; i < 10; i++) await cache.set(`k${i}`, i)
    assert.equal(cache.stats().items, 3)
    await cache.set('k', 1, { ttl: '1h' })
    const found = cache.core.items.look('k')
    assert.ok(cache.core.opened.cache.secondsToLive(found) <= 1)
  })

  it('logs where it was told to', async (t) => {
    const lines: string[] = []
    const write = (_fields: object, message: string): void => void lines.push(message)
    const log: Logger = {
      trace: write,
      debug: write,
      info: write,
      warn: write,
      error: write,
      fatal: write,
      level: 'info',
    }
    const cache = await RatMemCache.builder().logger(log).build()
    t.after(() => cache.shutdown())
    await cache.getOrSet('k', () => 'old', { ttl: 1, grace: '1h' })
    await new Promise((resolve) => setTimeout(resolve, 5))
    await cache.getOrSet(
      'k',
      () => {
        throw new Error('no')
      },
      { softTimeout: 1000 },
    )
    assert.deepEqual(lines, ['a cache has failed'])
  })
})
