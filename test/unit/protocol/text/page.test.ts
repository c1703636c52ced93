/** docs/PROTOCOL.md against the server: what the page names is there, and nothing else is. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { OutputBuffer } from '../../../../src/bytes/output-buffer.ts'
import { OUTCOME } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { TextReply } from '../../../../src/protocol/text/reply.ts'
import { startServer } from '../../../helpers/server.ts'
import type { TestServer } from '../../../helpers/server.ts'
import { parseTranscript } from '../../../helpers/transcript.ts'

const ROOT = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/PROTOCOL.md', ROOT), 'utf8')

/** The first cells of a section's table, without their quotes. */
function firstCells(heading: string): string[] {
  const start = page.indexOf(`\n${heading}\n`)
  assert.ok(start >= 0, `there is a section ${heading}`)
  const rows = page.slice(start).split('\n|').slice(3)
  const end = rows.findIndex((row) => row.includes('\n'))
  return rows.slice(0, end + 1).map((row) => /`([^`]+)`/.exec(row)?.[1] ?? '')
}

function allWords(): string {
  const bytes = bytesOf(Buffer.alloc(4096))
  const sink = { flush: () => assert.fail(), sendPinned: () => assert.fail() }
  const out = new OutputBuffer(bytes, 0, 4096, sink)
  const reply = new TextReply()
  for (const outcome of Object.values(OUTCOME)) reply.outcome(out, new Request(bytes), outcome)
  return bytes.buffer.toString('latin1', 0, out.position)
}

describe('docs/PROTOCOL.md', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  async function answer(line: string): Promise<string> {
    const client = await server.connect()
    client.send(`${line}\r\n`)
    return (await client.finish()).split('\r\n')[0] ?? ''
  }

  it('lists commands that exist', async () => {
    const commands = firstCells('## Commands')
    assert.equal(commands.length, 24)
    for (const command of commands) {
      const verb = command.replaceAll(/ *[[<].*/g, '')
      assert.notEqual(await answer(verb), 'ERROR', verb)
    }
  })

  it('lists commands to the server that exist', async () => {
    const commands = firstCells('## Commands to the server')
    assert.equal(commands.length, 30)
    for (const command of commands) {
      const words = command.replaceAll(
        /<(?:n|level|seconds|bytes|microseconds|class|classes)>/g,
        '1',
      )
      const line = words.replaceAll('<mode>', 'flat').replaceAll(/<(?:percent|factor)>/g, '1')
      const said = await answer(line.replaceAll('<megabytes>', '8').replace(' [<topic>...]', ''))
      assert.ok(said !== 'ERROR' && !said.startsWith('CLIENT_ERROR'), `${command}: ${said}`)
      if (line.endsWith('disable')) await answer('lru_crawler enable')
    }
  })

  it('lists as missing what is missing', async () => {
    const start = page.indexOf('What is not there:')
    const missing = page.slice(start, page.indexOf('What is different on purpose:'))
    const words = [...missing.matchAll(/`([a-z_ ]+)`/g)].map((match) => match[1] ?? '')
    assert.ok(words.length > 3)
    for (const word of words) assert.equal(await answer(`${word} a b`), 'ERROR', word)
  })

  it('lists every error there is, and no other', () => {
    const errors = allWords().match(/^(?:[A-Z]+_)?ERROR.*(?=\r$)/gm) ?? []
    assert.deepEqual(firstCells('## Errors').sort(), errors.sort())
  })

  it('tells of every difference that a transcript marks', () => {
    const folder = new URL('test/transcripts/', ROOT)
    const differing = readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => parseTranscript(readFileSync(new URL(name, folder), 'utf8')))
      .filter(({ steps }) => steps.some((s) => s.kind === 'recv' && s.memcached !== undefined))
      .map(({ title }) => title)
    const listed = [...page.matchAll(/^- "(.*)"$/gm)].map((match) => match[1] ?? '')
    assert.deepEqual(listed.sort(), differing.sort())
  })
})
