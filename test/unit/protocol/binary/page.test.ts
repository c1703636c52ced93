/** The binary part of docs/PROTOCOL.md: its tables against the wire, its differences against the transcripts. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { OutputBuffer } from '../../../../src/bytes/output-buffer.ts'
import { OUTCOME } from '../../../../src/message/codes.ts'
import { Request } from '../../../../src/message/request.ts'
import { BinaryReply } from '../../../../src/protocol/binary/reply.ts'
import { OPCODES, readFrames } from '../../../helpers/frames.ts'
import { parseTranscript } from '../../../helpers/transcript.ts'

const ROOT = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/PROTOCOL.md', ROOT), 'utf8')
const part = page.slice(
  page.indexOf('\n## The binary protocol\n'),
  page.indexOf('\n## Differences from memcached\n'),
)

function hex(number: number): string {
  return `0x${number.toString(16).padStart(2, '0')}`
}

describe('the binary part of docs/PROTOCOL.md', () => {
  it('lists every command with its numbers', () => {
    const rows = [...part.matchAll(/^\| (0x\w\w) +\| `([A-Z_]+)`(?:, quiet (0x\w\w))? +\|/gm)]
    const listed = rows.flatMap(([, opcode, name, quiet]) =>
      quiet === undefined
        ? [[name, opcode]]
        : [
            [name, opcode],
            [`${name}Q`, quiet],
          ],
    )
    const known = Object.entries(OPCODES).filter(([name]) => name !== 'VERBOSITY')
    assert.deepEqual(
      Object.fromEntries(listed),
      Object.fromEntries(known.map(([name, opcode]) => [name, hex(opcode)])),
    )
  })

  it('lists every status with its text', () => {
    const rows = [...part.matchAll(/^\| (0x\w\w) +\| `([A-Z][^`]*[a-z.])` +\|/gm)]
    const bytes = bytesOf(Buffer.alloc(4096))
    const sink = { flush: () => assert.fail(), sendPinned: () => assert.fail() }
    const out = new OutputBuffer(bytes, 0, 4096, sink)
    const reply = new BinaryReply()
    for (const outcome of Object.values(OUTCOME)) reply.outcome(out, new Request(bytes), outcome)
    const said = readFrames(bytes.buffer.subarray(0, out.position))
      .frames.filter(({ status }) => status !== 0)
      .map(({ status, value }) => [hex(status), value])
    assert.deepEqual(
      Object.fromEntries(rows.map(([, status, text]) => [status, text])),
      Object.fromEntries(said),
    )
  })

  it('tells of every difference that a transcript marks', () => {
    const folder = new URL('test/transcripts/binary/', ROOT)
    const differing = readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => parseTranscript(readFileSync(new URL(name, folder), 'utf8')))
      .filter(({ steps }) => steps.some((s) => s.kind === 'recv' && s.memcached !== undefined))
      .map(({ title }) => title)
    assert.ok(differing.length > 0)
    for (const title of differing) assert.ok(part.includes(`"${title}"`), title)
  })
})
