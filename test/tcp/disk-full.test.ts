/**
 * A disk that is really full: a small file system in memory, where this machine lets us mount one. Where
 * it does not the test says so; the same with an injected fault is in `disk-waiting.test.ts`.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { startServer } from '../helpers/server.ts'
import type { TestClient } from '../helpers/server.ts'
import { MISS, hitText, setText } from '../helpers/tiers.ts'

const STORED = 'STORED\r\n'
const VALUE = 'v'.repeat(20_000)
const PATIENCE_MS = 15_000

/** An empty file system of 20 MB, undefined where none may be mounted. */
function smallDisk(t: TestContext): string | undefined {
  const place = mkdtempSync(join(tmpdir(), 'rat-memcached-full-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'none', place], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return place
}

/** How many of the keys are there; each is as it was stored. */
async function hits(client: TestClient, from: number, to: number): Promise<number> {
  let count = 0
  for (let i = from; i < to; i++) {
    client.send(`get k${i}\r\n`)
    if ((await client.take(MISS.length)).toString() === MISS) continue
    await client.expect(hitText(`k${i}`, `${i}${VALUE}`).slice(MISS.length))
    count++
  }
  return count
}

describe('a disk that is full', () => {
  it('costs misses and no errors, and is used again when it has room', async (t) => {
    const place = smallDisk(t)
    if (place === undefined) {
      t.diagnostic('no file system can be mounted here: not tried')
      return
    }
    const settings = {
      'l1.max_memory': '4MB',
      'l2.enabled': 'true',
      'l2.data_dir': join(place, 'data'),
      'l2.max_disk_size': '16MB',
      'l2.max_staged': '2MB',
      'l2.write_interval': '5ms',
      'compression.enabled': 'false',
    }
    let server = await startServer(settings)
    try {
      const client = await server.connect()
      // Somebody else needs room, too.
      const other = join(place, 'other')
      writeFileSync(other, Buffer.alloc(8 * 2 ** 20))
      for (let i = 0; i < 1500; i++) await client.ask(setText(`k${i}`, `${i}${VALUE}`), STORED)
      const found = await hits(client, 0, 1500)
      assert.ok(found > 100 && found < 1200, `${found} of 1500`)
      rmSync(other)
      // The writer tries again by itself, at first every quarter of a second.
      const deadlineMs = performance.now() + PATIENCE_MS
      for (let i = 1500; ; i += 100) {
        for (let k = i; k < i + 100; k++) await client.ask(setText(`k${k}`, `${k}${VALUE}`), STORED)
        await new Promise((resolve) => setTimeout(resolve, 200))
        // More than memory holds.
        if ((await hits(client, i - 300, i + 100)) === 400) break
        assert.ok(performance.now() < deadlineMs, 'the disk is not used again')
      }
      client.destroy()
      await server.stop()
      server = await startServer(settings)
      const reader = await server.connect()
      assert.ok((await hits(reader, 1500, 3000)) > 100)
      reader.destroy()
    } finally {
      await server.stop()
      execFileSync('umount', ['-l', place])
    }
  })
})
