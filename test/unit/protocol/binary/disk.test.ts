/** Every binary command on an item that memory does not hold: the frame is answered when the disk has. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CasLetters, readFrames, replyLine, requestFrame } from '../../../helpers/frames.ts'
import { startServer } from '../../../helpers/server.ts'
import type { TestClient, TestServer } from '../../../helpers/server.ts'

/** Several times what memory holds, so that the first ones are on disk only. */
const ITEMS = 4000
const FILLING = 'f'.repeat(1000)

describe('the binary protocol over the disk tier', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rat-binary-'))
  let server: TestServer
  let client: TestClient

  before(async () => {
    server = await startServer({
      'l1.max_memory': '1MB',
      'server.max_item_size': '100KB',
      'l2.enabled': 'true',
      'l2.data_dir': folder,
    })
    client = await server.connect()
    const asked = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    await ask(...asked.map((key) => `#1 SETQ flags=5 key=${key} value=${key}${FILLING}`))
    await ask('#1 SETQ flags=9 key=n value=41', '#2 SETQ key=m value=41')
    for (let i = 0; i < ITEMS; i += 100) {
      const sets = Array.from({ length: 100 }, (_, j) => `#1 SETQ key=k${i + j} value=${FILLING}`)
      await ask(...sets)
    }
  })
  after(async () => {
    client.destroy()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  /** Sends frames and a noop, and takes all replies in front of that of the noop. */
  async function ask(...lines: string[]): Promise<string[]> {
    client.send(Buffer.concat([...lines, '#77 NOOP'].map((line) => requestFrame(line, () => 0n))))
    const isThere = (): boolean =>
      readFrames(Buffer.from(client.text, 'latin1')).frames.at(-1)?.opaque === 77
    assert.ok(await client.until(isThere, 20_000), client.text)
    const { frames } = readFrames(await client.take(client.length))
    return frames.slice(0, -1).map((frame) =>
      replyLine(frame, new CasLetters())
        .replace(/ cas=\w$/, '')
        .replace(`"f"*${FILLING.length}`, '…')
        .replace(FILLING, '…')
        .replace(/"([^"]*…[^"]*)"/, '$1'),
    )
  }

  it('answers in order, each command once', async () => {
    const missesBefore = (await server.stats()).get('get_misses')
    assert.deepEqual(
      await ask(
        '#1 GET key=a',
        '#2 GETK key=none',
        '#3 GETKQ key=b',
        '#4 GETQ key=none',
        '#5 GATK exptime=1000 key=c',
        '#6 TOUCH exptime=1000 key=d',
        '#7 APPEND key=e value=+',
        '#8 PREPENDQ key=e value=-',
        '#9 GET key=e',
        '#10 ADD key=f value=x',
        '#11 REPLACE key=g value=new',
        '#12 GET key=g',
        '#13 SET cas=123456789 key=h value=x',
        '#14 DELETE cas=123456789 key=h',
        '#15 DELETE key=h',
        '#16 GET key=h',
        '#17 INCR delta=1 initial=7 key=n',
        '#18 DECRQ delta=1 initial=7 key=m',
        '#19 GET key=n',
        '#20 GET key=m',
        '#21 SETQ key=i value=new',
        '#22 GET key=i',
      ),
      [
        '#1 GET ok flags=0x5 value=a…',
        '#2 GETK 0x01 key=none',
        '#3 GETKQ ok flags=0x5 key=b value=b…',
        '#5 GATK ok flags=0x5 key=c value=c…',
        '#6 TOUCH ok flags=0x5',
        '#7 APPEND ok',
        '#9 GET ok flags=0x5 value=-e…+',
        '#10 ADD 0x02 value="Data exists for key."',
        '#11 REPLACE ok',
        '#12 GET ok flags=0x0 value=new',
        '#13 SET 0x02 value="Data exists for key."',
        '#14 DELETE 0x02 value="Data exists for key."',
        '#15 DELETE ok',
        '#16 GET 0x01 value="Not found"',
        '#17 INCR ok count=42',
        '#19 GET ok flags=0x9 value=42',
        '#20 GET ok flags=0x0 value=40',
        '#22 GET ok flags=0x0 value=new',
      ],
    )
    assert.equal((await server.stats()).get('get_misses'), missesBefore! + 3)
  })

  it('finds everything again in one batch of quiet gets', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${i * 8}`)
    const lines = await ask(...keys.map((key, i) => `#${i} GETKQ key=${key}`))
    assert.deepEqual(
      lines,
      keys.map((key, i) => `#${i} GETKQ ok flags=0x0 key=${key} value=…`),
    )
    const stats = await server.stats()
    assert.ok(stats.get('get_extstore')! > 300, `${stats.get('get_extstore')} came from disk`)
  })
})
