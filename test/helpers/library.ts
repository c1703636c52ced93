/** Caches of the library for tests: small, silent, closed when the test is over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { RatMemCache } from '../../src/index.ts'
import type { CacheBuilder } from '../../src/index.ts'

/** A cache in memory. */
export async function memoryCache(
  t: TestContext,
  change: (builder: CacheBuilder) => CacheBuilder = (builder) => builder,
): Promise<RatMemCache> {
  const builder = RatMemCache.builder()
    .l1({ maxMemory: '4MB' })
    .server({ maxItemSize: '1MB', bind: ['127.0.0.1:0'] })
  const cache = await change(builder).build()
  // Nothing of a cache holds a process, and so nothing would hold a test that waits for a timeout.
  const holding = setInterval(() => undefined, 1000)
  t.after(async () => {
    clearInterval(holding)
    await cache.shutdown()
  })
  return cache
}

/** A folder that is gone after the test. */
export function testFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rat-library-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A cache with a disk tier in a folder. */
export async function diskCache(
  folder: string,
  change: (builder: CacheBuilder) => CacheBuilder = (builder) => builder,
): Promise<RatMemCache> {
  const builder = RatMemCache.builder()
    .l1({ maxMemory: '2MB' })
    .l2({ dataDir: folder, maxDiskSize: '64MB', writeInterval: 20 })
    .server({ maxItemSize: '256KB', bind: ['127.0.0.1:0'] })
  return change(builder).build()
}

/** Waits until something is so; fails after some seconds. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 30_000
  while (!(await what())) {
    if (Date.now() > endMs) throw new Error('it did not come to that')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A promise and what settles it. */
export function deferred<Value>(): {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: Error): void
} {
  let resolve!: (value: Value) => void
  let reject!: (error: Error) => void
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
