/** What the operator says about expiry, through every command that sets one, and the sweep of both tiers. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '../../src/config/load.ts'
import { startConfigured, startServer } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'

const RULES = `[server]
bind = ["127.0.0.1:0"]
[l2]
enabled = false
[ttl]
default = "100s"
[[ttl.rules]]
prefix = "s"
default = "200s"
max = "300s"
`
/** Opcodes of the binary protocol, and the length of its header. */
const SET = 0x01
const INCR = 0x05
const TOUCH = 0x1c
const GAT = 0x1d
const HEADER_BYTES = 24
const REPLY = 0x81

function frame(opcode: number, extras: readonly number[], key: string, value = ''): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + 4 * extras.length)
  head[0] = 0x80
  head[1] = opcode
  head.writeUInt16BE(key.length, 2)
  head[4] = 4 * extras.length
  head.writeUInt32BE(4 * extras.length + key.length + value.length, 8)
  for (const [i, word] of extras.entries()) head.writeUInt32BE(word, HEADER_BYTES + 4 * i)
  return Buffer.concat([head, Buffer.from(key + value)])
}

describe('rules of expiry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rat-rules-'))
  let server: TestServer
  let client: TestClient

  before(async () => {
    const file = join(folder, 'rules.toml')
    writeFileSync(file, RULES)
    server = await startConfigured(loadConfig({ file, env: {} }))
    client = await server.connect()
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  /** Seconds that a key has left, within a second of the clock. */
  async function assertLife(key: string, expected: number): Promise<void> {
    const [line] = await client.list(`mg ${key} t\r\nmn`, 'MN\r\n')
    const left = Number(/^HD t(-?\d+)/.exec(line ?? '')?.[1])
    assert.ok(left <= expected && left >= expected - 2, `${key} has ${left} of ${expected} s left`)
  }

  it('give an item without an expiry the default', async () => {
    await client.ask('set a 0 0 1\r\nx\r\n', 'STORED\r\n')
    await client.ask('add sa 0 0 1\r\nx\r\n', 'STORED\r\n')
    await assertLife('a', 100)
    await assertLife('sa', 200)
    await client.ask('ms b 1\r\nx\r\n', 'HD\r\n')
    await assertLife('b', 100)
  })

  it('cap what a client asks for, also an instant', async () => {
    await client.ask('set a 0 1000 1\r\nx\r\n', 'STORED\r\n')
    await client.ask('set s1 0 1000 1\r\nx\r\n', 'STORED\r\n')
    const farAwayS = Math.floor(Date.now() / 1000) + 5000
    await client.ask(`set s2 0 ${farAwayS} 1\r\nx\r\n`, 'STORED\r\n')
    await client.ask('ms s3 1 T1000\r\nx\r\n', 'HD\r\n')
    await assertLife('a', 1000)
    for (const key of ['s1', 's2', 's3']) await assertLife(key, 300)
  })

  it('hold for touch, gat and the flags of mg, in the place of what was there', async () => {
    await client.ask('set s 0 50 1\r\nx\r\n', 'STORED\r\n')
    await assertLife('s', 50)
    await client.ask('touch s 0\r\n', 'TOUCHED\r\n')
    await assertLife('s', 200)
    await client.ask('gat 1000 s\r\n', 'VALUE s 0 1\r\nx\r\nEND\r\n')
    await assertLife('s', 300)
    await client.ask('gat 0 s\r\n', 'VALUE s 0 1\r\nx\r\nEND\r\n')
    await assertLife('s', 200)
    await client.ask('mg s T1000\r\n', 'HD\r\n')
    await assertLife('s', 300)
    await client.ask('mg s-new N1000\r\n', 'HD W\r\n')
    await assertLife('s-new', 300)
    await client.ask('md s I T0\r\n', 'HD\r\n')
    const [line] = await client.list('mg s t\r\nmn', 'MN\r\n')
    assert.match(line ?? '', /^HD t(200|199|198) X W$/)
  })

  it('hold for counters that are made, and leave alone what is only changed', async () => {
    await client.ask('ma s-count N0 J5\r\n', 'HD\r\n')
    await assertLife('s-count', 200)
    await client.ask('set n 0 30 1\r\n7\r\n', 'STORED\r\n')
    await client.ask('incr n 1\r\n', '8\r\n')
    await client.ask('append n 0 0 1\r\n9\r\n', 'STORED\r\n')
    await assertLife('n', 30)
    await client.ask('ma n T0\r\n', 'HD\r\n')
    await assertLife('n', 100)
  })

  it('hold for the binary protocol', async () => {
    const binary = await server.connect()
    const ask = async (request: Buffer): Promise<void> => {
      binary.send(request)
      const head = await binary.take(HEADER_BYTES)
      assert.equal(head[0], REPLY)
      assert.equal(head.readUInt16BE(6), 0)
      await binary.take(head.readUInt32BE(8))
    }
    await ask(frame(SET, [0, 0], 'sb1', 'x'))
    await ask(frame(SET, [0, 1000], 'sb2', 'x'))
    await assertLife('sb1', 200)
    await assertLife('sb2', 300)
    await ask(frame(TOUCH, [1000], 'sb1'))
    await assertLife('sb1', 300)
    await ask(frame(GAT, [0], 'sb1'))
    await assertLife('sb1', 200)
    await ask(frame(INCR, [0, 1, 0, 5, 1000], 'sb3'))
    await assertLife('sb3', 300)
    binary.destroy()
  })
})

describe('the sweep', () => {
  it('empties both tiers of what is over, while nobody asks for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-sweep-'))
    const server = await startServer({
      'l2.enabled': 'true',
      'l2.data_dir': folder,
      'l2.write_interval': '50ms',
      'ttl.sweep_interval': '100ms',
    })
    try {
      const client = await server.connect()
      for (let i = 0; i < 200; i++)
        client.send(`set k${i} 0 ${i < 100 ? 3 : 0} 100 noreply\r\n${'x'.repeat(100)}\r\n`)
      client.send('mn\r\n')
      await client.expect('MN\r\n')
      const until = async (name: string, amount: number): Promise<void> => {
        const endMs = performance.now() + 15_000
        for (;;) {
          const value = (await server.stats()).get(name)
          if (value === amount) return
          assert.ok(performance.now() < endMs, `${name} stays at ${value}`)
          await wait(50)
        }
      }
      await until('extstore_objects_used', 200)
      await until('extstore_objects_used', 100)
      await until('curr_items', 100)
      const stats = await server.stats()
      assert.equal(stats.get('swept'), 100)
      assert.equal(stats.get('get_expired'), 0)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
