import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, before, describe, it, mock } from 'node:test'
import { READ_MODES, connectClient, startServer, turns } from '../helpers/server.ts'
import type { TestClient, TestServer } from '../helpers/server.ts'
import {
  canBePipelined,
  cutPlaces,
  parseTranscript,
  replay,
  replayPipelined,
} from '../helpers/transcript.ts'
import type { Cut, Section } from '../helpers/transcript.ts'

const FOLDER = new URL('./', import.meta.url)
const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'))

// Seconds go by when a transcript says so; sockets and their waiting stay real.
mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1_800_000_000_000 })

function wait(seconds: number): void {
  mock.timers.tick(seconds * 1000)
}

for (const readMode of READ_MODES) {
  describe(`transcripts, read by ${readMode}`, () => {
    // Where bytes are cut is dealt with by the same code in both ways of reading.
    const step = readMode === 'onread' ? 1 : 5
    let server: TestServer
    let control: TestClient

    before(async () => {
      server = await startServer({}, readMode)
      control = await server.connect()
    })
    after(async () => {
      control.destroy()
      await server.stop()
    })

    /** A connection to a server that holds nothing. */
    async function fresh(): Promise<TestClient> {
      await control.ask('verbosity 0\r\nflush_all\r\n', 'OK\r\nOK\r\n')
      return connectClient({ port: server.port, host: '127.0.0.1' })
    }

    async function play(section: Section, cut: Cut): Promise<void> {
      const client = await fresh()
      const nowS = Math.floor(Date.now() / 1000)
      await replay({ section, client, nowS, cut, wait })
      client.destroy()
    }

    async function readBytes(): Promise<number> {
      control.send('stats\r\n')
      await control.until(() => control.text.endsWith('END\r\n'))
      const text = (await control.take(control.length)).toString('latin1')
      return Number(/STAT bytes_read (\d+)/.exec(text)?.[1])
    }

    it('has read the first piece of a request before the second is sent', async () => {
      const client = await fresh()
      const earlier = await readBytes()
      client.send('versi')
      await turns(2)
      assert.equal(await readBytes(), earlier + 'versi'.length + 'stats\r\n'.length)
      client.destroy()
    })

    for (const page of pages) {
      describe(page, () => {
        for (const section of parseTranscript(readFileSync(new URL(page, FOLDER), 'utf8'))) {
          it(section.title, async () => {
            await play(section, { kind: 'nowhere' })
            if (canBePipelined(section)) {
              const client = await fresh()
              await replayPipelined(section, client, Math.floor(Date.now() / 1000))
              client.destroy()
            }
            if (section.sentWhole) return
            await play(section, { kind: 'everywhere' })
            const places = cutPlaces(section, Math.floor(Date.now() / 1000))
            for (let at = 1; at <= places; at += step) await play(section, { kind: 'at', at })
          })
        }
      })
    }
  })
}

function sectionOf(blocks: string): Section {
  return parseTranscript(`# P\n\nRecorded from memcached 1.6.45.\n\n## S\n\n${blocks}`)[0]!
}

async function outcome(blocks: string): Promise<string> {
  const server = await startServer()
  const client = await server.connect()
  try {
    const cut: Cut = { kind: 'nowhere' }
    await replay({ section: sectionOf(blocks), client, nowS: 0, cut, wait, patienceMs: 50 })
    return 'passes'
  } catch (error) {
    return error instanceof assert.AssertionError ? 'fails' : String(error)
  } finally {
    client.destroy()
    await server.stop()
  }
}

describe('a replay', () => {
  const send = '```send\nset a 0 0 1\nx\ngets a\n```\n'

  it('passes on what is right', async () => {
    assert.equal(
      await outcome(`${send}\`\`\`recv\nSTORED\nVALUE a 0 1 \\{cas A}\nx\nEND\n\`\`\`\n`),
      'passes',
    )
  })

  it('fails on a wrong reply, on one that is missing and on one too many', async () => {
    assert.equal(await outcome('```send\nversion\n```\n```recv\nERROR\n```\n'), 'fails')
    assert.equal(
      await outcome('```send\nversion\n```\n```recv\nVERSION \\{text}\nEND\n```\n'),
      'fails',
    )
    assert.equal(await outcome('```send\nversion\n```\n'), 'fails')
    assert.equal(await outcome('```send\nversion\n```\n```recv\n```\n'), 'fails')
  })

  it('fails when a number that is to be new is the old one', async () => {
    const reply = 'VALUE a 0 1 \\{cas A}\nx\nEND\nVALUE a 0 1 \\{cas B}\nx\nEND\n'
    assert.equal(
      await outcome(`${send}\`\`\`send\ngets a\n\`\`\`\n\`\`\`recv\nSTORED\n${reply}\`\`\`\n`),
      'fails',
    )
  })

  it('fails when the server does not hang up where it should', async () => {
    assert.equal(
      await outcome('```send\nversion\n```\n```recv closed\nVERSION \\{text}\n```\n'),
      'fails',
    )
  })
})
