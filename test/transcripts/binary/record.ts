/**
 * Records binary transcripts from the memcached on the PATH, or says where it answers otherwise.
 *
 *     node --import tsx test/transcripts/binary/record.ts FILE...           compare, change nothing
 *     node --import tsx test/transcripts/binary/record.ts --write FILE...   write what it answers
 *
 * A section that says it was recorded from another version is compared, and never written.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectClient } from '../../helpers/server.ts'
import type { TestClient } from '../../helpers/server.ts'
import { parseTranscript } from '../../helpers/transcript.ts'
import { play, wanted } from './replay.ts'
import type { Got } from './replay.ts'

/** After this long without a byte nothing more is expected to come. */
const SILENCE_MS = 60
const CONNECT_TRIES = 100

const words = process.argv.slice(2)
const isWriting = words.includes('--write')
const files = words.filter((word) => !word.startsWith('--'))

const versionLine = spawnSync('memcached', ['-V'], { encoding: 'utf8' }).stdout.trim()
const path = join(tmpdir(), `record-binary-${process.pid}.sock`)
const memcached = spawn('memcached', ['-s', path, '-u', 'nobody'])
let differences = 0
try {
  await connected()
  for (const file of files) await recordFile(file)
} finally {
  memcached.kill()
}
console.log(`${versionLine}: ${differences} blocks differ`)

async function recordFile(file: string): Promise<void> {
  let text = readFileSync(file, 'utf8')
  for (const section of parseTranscript(text)) {
    const control = await connected()
    await control.ask('flush_all\r\n', 'OK\r\n')
    control.destroy()
    const client = await connected()
    const got = await play({
      section,
      client,
      cut: 'nowhere',
      wait: (seconds) => pause(seconds * 1000),
      settled: untilSilence,
    })
    client.destroy()
    for (const [i, block] of wanted(section, true).entries()) {
      if (JSON.stringify(block) === JSON.stringify(got[i])) continue
      differences++
      console.log(`${file}: ${section.title} (${section.recordedFrom})\n${blockOf(got[i]!)}`)
      if (isWriting && section.recordedFrom === versionLine) {
        text = writeBlock(text, section.title, got[i]!)
      }
    }
  }
  if (isWriting) writeFileSync(file, text)
}

function blockOf({ lines, closed }: Got): string {
  return `\`\`\`recv${closed ? ' closed' : ''}\n${lines.map((line) => `${line}\n`).join('')}\`\`\``
}

/** Puts a block in the place of the one with its index in a section. */
function writeBlock(text: string, title: string, got: Got): string {
  const start = text.indexOf(`## ${title}\n`)
  let step = -1
  for (const match of text.slice(start).matchAll(/^```(send|wait|recv(?: \w+)?)\n([^]*?)^```$/gm)) {
    if (match[1] !== 'recv memcached') step++
    if (step !== got.index) continue
    const at = start + match.index
    return text.slice(0, at) + blockOf(got) + text.slice(at + match[0].length)
  }
  return text
}

async function untilSilence(client: TestClient): Promise<void> {
  for (let length = -1; length !== client.length;) {
    length = client.length
    await pause(SILENCE_MS)
  }
}

async function connected(): Promise<TestClient> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectClient({ path })
    } catch (error) {
      if (tries === CONNECT_TRIES) throw error
      await pause(20)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
