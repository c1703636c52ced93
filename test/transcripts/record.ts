/**
 * Records transcripts from the memcached on the PATH, or says where it answers otherwise.
 *
 *     node --import tsx test/transcripts/record.ts FILE...           compare, change nothing
 *     node --import tsx test/transcripts/record.ts --write FILE...   write what it answers
 *
 * Comparing looks at every section, whatever it was recorded from. Writing changes only sections
 * that were recorded from this very version, and keeps a block that already fits, so that its
 * placeholders stay.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connectClient } from '../helpers/server.ts'
import type { TestClient } from '../helpers/server.ts'
import { Bindings, matchesReply, parseTranscript, requestBytes } from '../helpers/transcript.ts'
import type { Section } from '../helpers/transcript.ts'

/** After this long without a byte nothing more is expected to come. */
const SILENCE_MS = 60
/** The file that is written when a reply was recorded that nothing stood for. */
const LONG_RUN = 60

const words = process.argv.slice(2)
const isWriting = words.includes('--write')
const files = words.filter((word) => !word.startsWith('--'))

const versionLine = spawnSync('memcached', ['-V'], { encoding: 'utf8' }).stdout.trim()
const port = await freePort()
const memcached = spawn('memcached', ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-u', 'nobody'])
let differences = 0
try {
  await connected()
  for (const file of files) await recordFile(file)
} finally {
  memcached.kill()
}
console.log(`${versionLine}: ${differences} replies differ`)

async function recordFile(file: string): Promise<void> {
  let text = readFileSync(file, 'utf8')
  for (const section of parseTranscript(text)) {
    const mayWrite = isWriting && section.recordedFrom === versionLine
    for (const { index, reply } of await playSection(section)) {
      differences++
      console.log(`${file}: ${section.title} (${section.recordedFrom})\n  ${JSON.stringify(reply)}`)
      if (mayWrite) text = writeReply(text, section.title, index, reply)
    }
  }
  if (isWriting) writeFileSync(file, text)
}

/** Replies that are not what the section says, by the index of their step. */
async function playSection(section: Section): Promise<{ index: number; reply: string }[]> {
  const control = await connected()
  await control.ask('flush_all\r\n', 'OK\r\n')
  control.destroy()
  const client = await connected()
  const bindings = new Bindings(Math.floor(Date.now() / 1000))
  const wrong: { index: number; reply: string }[] = []
  for (const [index, step] of section.steps.entries()) {
    if (step.kind === 'send') client.send(requestBytes(step.body, bindings))
    else if (step.kind === 'wait') await pause(step.seconds * 1000)
    else {
      const reply = await untilSilence(client)
      if (!matchesReply(step.memcached ?? step.body, reply, bindings) || client.ended !== step.closed) {
        wrong.push({ index, reply: client.ended ? `${reply}<closed>` : reply })
      }
    }
  }
  client.destroy()
  return wrong
}

async function untilSilence(client: TestClient): Promise<string> {
  for (let length = -1; length !== client.length;) {
    length = client.length
    await pause(SILENCE_MS)
  }
  return (await client.take(client.length)).toString('latin1')
}

/** Puts a reply in the place of a `recv` block. */
function writeReply(text: string, title: string, index: number, reply: string): string {
  const start = text.indexOf(`## ${title}\n`)
  let at = start
  let step = -1
  for (const match of text.slice(start).matchAll(/^```(send|wait|recv(?: \w+)?)\n([^]*?)^```$/gm)) {
    if (match[1] !== 'recv memcached') step++
    at = start + match.index
    if (step !== index) continue
    const end = at + match[0].length
    const info = reply.endsWith('<closed>') ? 'recv closed' : 'recv'
    return `${text.slice(0, at)}\`\`\`${info}\n${printReply(reply)}\`\`\`${text.slice(end)}`
  }
  return text
}

function printReply(reply: string): string {
  const escaped = Buffer.from(reply.replace('<closed>', ''), 'latin1')
    .toString('latin1')
    .replaceAll('\\', '\\\\')
    .replaceAll(/[^\x20-\x7e\r\n]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll(/\r(?!\n)/g, '\\r')
    .replaceAll(/(?<!\r)\n/g, '\\n')
    .replaceAll('\r\n', '\n')
    .replaceAll(/(.)\1+/g, (run, c: string) => (run.length >= LONG_RUN ? `\\{${c}*${run.length}}` : run))
  return escaped === '' || escaped.endsWith('\n') ? escaped : `${escaped}\\\n`
}

async function connected(): Promise<TestClient> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectClient({ port, host: '127.0.0.1' })
    } catch (error) {
      if (tries === 100) throw error
      await pause(20)
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has one
      const { port: free } = probe.address() as AddressInfo
      probe.close(() => resolve(free))
    })
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
