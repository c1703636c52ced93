/**
 * Plays sections of binary transcripts, which have the form of `helpers/transcript.ts` with lines of
 * `helpers/frames.ts` in their blocks, against any server, and compares the replies line by line.
 */
import assert from 'node:assert/strict'
import { CasLetters, readFrames, replyLine, requestFrame } from '../../helpers/frames.ts'
import { turns } from '../../helpers/server.ts'
import type { TestClient } from '../../helpers/server.ts'
import type { Section } from '../../helpers/transcript.ts'

/** Where the bytes of a request are cut: nowhere, after each byte, or once. */
export type FrameCut = 'nowhere' | 'everywhere' | number

const PATIENCE_MS = 5000
/** Longer requests hold a value or a key of one letter; they are cut near their ends. */
const CUT_NEAR_ENDS = 120

/** What came back to a block of requests. */
export interface Got {
  /** Index of its step in the section. */
  readonly index: number
  readonly lines: readonly string[]
  readonly closed: boolean
}

export interface FramePlay {
  readonly section: Section
  readonly client: TestClient
  readonly cut: FrameCut
  wait(seconds: number): Promise<void> | void
  /** Waits until all that is expected has come. */
  settled(client: TestClient, expected: readonly string[], closed: boolean): Promise<void>
}

/** Sends every request of a section and returns what came back at each place where it says so. */
export async function play(how: FramePlay): Promise<Got[]> {
  const { section, client } = how
  const letters = new CasLetters()
  const all: Got[] = []
  for (const [index, step] of section.steps.entries()) {
    if (step.kind === 'send') await send(client, requestBytes(step.body, letters), how.cut)
    else if (step.kind === 'wait') await how.wait(step.seconds)
    else {
      await how.settled(client, linesOf(step.body), step.closed)
      all.push({ index, ...(await take(client, letters)) })
    }
  }
  return all
}

/** Sends the requests of a section in one write and returns all replies. */
export async function playPipelined(section: Section, client: TestClient): Promise<string[]> {
  const letters = new CasLetters()
  const requests = section.steps.map((step) =>
    step.kind === 'send' ? requestBytes(step.body, letters) : Buffer.alloc(0),
  )
  client.send(Buffer.concat(requests))
  await client.finish()
  return [...(await take(client, letters)).lines]
}

export function linesOf(body: string): string[] {
  return body.split('\n').filter((line) => line !== '')
}

/** The lines that a section wants, in the words of this server or of memcached. */
export function wanted(section: Section, asMemcached = false): Got[] {
  return section.steps.flatMap((step, index) => {
    if (step.kind !== 'recv') return []
    const body = asMemcached ? (step.memcached ?? step.body) : step.body
    return [{ index, lines: linesOf(body), closed: step.closed }]
  })
}

/** Whether no request needs to know what an earlier one was answered. */
export function isPipelinable(section: Section): boolean {
  return section.steps.every(
    (step) => step.kind === 'recv' || (step.kind === 'send' && !/ cas=[A-Z]/.test(step.body)),
  )
}

/** The number of places where one cut is worth trying. */
export function frameCuts(section: Section): number {
  const letters = new CasLetters()
  for (let i = 1n; i <= 26n; i++) letters.letterOf(i)
  const lengths = section.steps.map((step) =>
    step.kind === 'send' ? requestBytes(step.body, letters).length : 0,
  )
  return Math.min(Math.max(...lengths) - 1, CUT_NEAR_ENDS)
}

/** Waits until as many frames as expected are there, or the connection is over. */
export function untilThere(patienceMs: number = PATIENCE_MS): FramePlay['settled'] {
  return async (client, expected, closed) => {
    const isThere = (): boolean =>
      readFrames(Buffer.from(client.text, 'latin1')).frames.length >= expected.length
    await client.until(() => client.ended || (isThere() && !closed), patienceMs)
  }
}

function requestBytes(body: string, letters: CasLetters): Buffer {
  return Buffer.concat(
    linesOf(body).map((line) => requestFrame(line, (letter) => letters.numberOf(letter))),
  )
}

async function take(
  client: TestClient,
  letters: CasLetters,
): Promise<{ lines: string[]; closed: boolean }> {
  const { frames, rest } = readFrames(await client.take(client.length))
  assert.equal(rest.toString('hex'), '', 'every reply is a whole frame')
  return { lines: frames.map((frame) => replyLine(frame, letters)), closed: client.ended }
}

async function send(client: TestClient, bytes: Buffer, cut: FrameCut): Promise<void> {
  const ends: number[] = []
  if (typeof cut === 'number') ends.push(Math.min(cut, bytes.length))
  if (cut === 'everywhere') {
    for (let at = 1; at < bytes.length; at++) {
      if (at <= CUT_NEAR_ENDS || at >= bytes.length - CUT_NEAR_ENDS) ends.push(at)
    }
  }
  let from = 0
  for (const to of [...ends, bytes.length]) {
    if (to === from) continue
    client.send(bytes.subarray(from, to))
    from = to
    if (to < bytes.length) await turns(2)
  }
}
