import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, before, describe, it, mock } from 'node:test'
import { connectClient, startServer, turns } from '../../helpers/server.ts'
import type { TestClient, TestServer } from '../../helpers/server.ts'
import { parseTranscript } from '../../helpers/transcript.ts'
import type { Section } from '../../helpers/transcript.ts'
import { frameCuts, isPipelinable, play, playPipelined, untilThere, wanted } from './replay.ts'
import type { FrameCut } from './replay.ts'

const FOLDER = new URL('./', import.meta.url)
const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'))

mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1_800_000_000_000 })

function wait(seconds: number): void {
  mock.timers.tick(seconds * 1000)
}

function sectionOf(blocks: string): Section {
  return parseTranscript(`# P\n\nRecorded from memcached 1.6.45.\n\n## S\n\n${blocks}`)[0]!
}

describe('binary transcripts', () => {
  let server: TestServer
  let control: TestClient

  before(async () => {
    server = await startServer()
    control = await server.connect()
  })
  after(async () => {
    control.destroy()
    await server.stop()
  })

  async function fresh(): Promise<TestClient> {
    await control.ask('flush_all\r\n', 'OK\r\n')
    return connectClient({ port: server.port, host: '127.0.0.1' })
  }

  async function replay(section: Section, cut: FrameCut, patienceMs?: number): Promise<void> {
    const client = await fresh()
    const settled = untilThere(patienceMs)
    const got = await play({ section, client, cut, wait, settled })
    assert.deepEqual(got, wanted(section), `${section.title}, cut ${cut}`)
    await turns(3)
    assert.equal(client.ended, got.at(-1)!.closed, 'the connection goes on, unless it was said to end')
    assert.equal(await client.finish(), '', 'nothing more comes')
    client.destroy()
  }

  async function outcome(recv: string): Promise<string> {
    const send = '```send\n#1 SETQ key=a value=x\n#2 GET key=a\n```\n'
    try {
      await replay(sectionOf(`${send}\`\`\`recv\n${recv}\`\`\`\n`), 'nowhere', 50)
      return 'passes'
    } catch (error) {
      return error instanceof assert.AssertionError ? 'fails' : String(error)
    }
  }

  for (const page of pages) {
    describe(page, () => {
      for (const section of parseTranscript(readFileSync(new URL(page, FOLDER), 'utf8'))) {
        it(section.title, async () => {
          await replay(section, 'nowhere')
          if (isPipelinable(section)) {
            const client = await fresh()
            const lines = await playPipelined(section, client)
            assert.deepEqual(
              lines,
              wanted(section).flatMap((got) => got.lines),
              `${section.title}, pipelined`,
            )
          }
          if (section.sentWhole) return
          await replay(section, 'everywhere')
          for (let at = 1; at <= frameCuts(section); at++) await replay(section, at)
        })
      }
    })
  }

  it('fail on a wrong status, a wrong field, a reply too many and one too few', async () => {
    const right = '#2 GET ok flags=0x0 value=x cas=A\n'
    assert.equal(await outcome(right), 'passes')
    const wrong = [
      right.replace('ok', '0x01'),
      right.replace('x0', 'x1'),
      right.replace('=x', '=y'),
      right.replace('#2', '#3'),
      right.replace(' cas=A', ''),
      `#1 SETQ ok cas=A\n${right}`,
      '',
    ]
    for (const recv of wrong) assert.equal(await outcome(recv), 'fails', recv)
  })

  it('fail when the connection ends, or does not, where the other was said', async () => {
    const closes = sectionOf('```send\n#1 QUIT\n```\n```recv\n#1 QUIT ok\n```\n')
    await assert.rejects(replay(closes, 'nowhere', 50), assert.AssertionError)
    const stays = sectionOf('```send\n#1 NOOP\n```\n```recv closed\n#1 NOOP ok\n```\n')
    await assert.rejects(replay(stays, 'nowhere', 50), assert.AssertionError)
  })
})
