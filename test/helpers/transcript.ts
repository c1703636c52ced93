/**
 * Transcripts: what is sent to a server and what it answers, as pages that people can read.
 *
 * A page of Markdown names in its head the program it was recorded from (`Recorded from memcached
 * 1.6.45.`); a section may name another. Each `##` section is one connection to an empty cache. Its
 * fenced blocks are steps:
 *
 * - `send`: what the client sends. `recv`: what comes back to it, all of it.
 * - `recv closed`: the same, and then the server ends the connection.
 * - `recv ours` followed by `recv memcached`: a deliberate difference, and what memcached answers.
 * - `wait`: seconds that go by.
 *
 * A line of `send` and `recv` ends with CR LF; a `\` at its end takes that away. Escapes: `\xHH`,
 * `\r`, `\n`, `\t`, `\\`, and in braces
 *
 * - `\{k*250}`: a text, 250 times. `\{now+100}`: a Unix time.
 * - `\{cas A}`: in `recv`, a number other than those of other letters; afterwards, the same number.
 * - `\{number}`, `\{text}`, `\{lines}` in `recv`: digits, the rest of a line, any number of lines.
 *
 * A section that says `Sent whole:` depends on how its bytes are cut, and says why.
 */
import assert from 'node:assert/strict'
import { show, turns } from './server.ts'
import type { TestClient } from './server.ts'

export type Step =
  | { readonly kind: 'send'; readonly body: string }
  | {
      readonly kind: 'recv'
      readonly body: string
      /** What memcached answers where that is deliberately not the same. */
      readonly memcached: string | undefined
      readonly closed: boolean
    }
  | { readonly kind: 'wait'; readonly seconds: number }

export interface Section {
  readonly title: string
  readonly recordedFrom: string
  readonly steps: readonly Step[]
  /** The answer depends on where the bytes are cut. */
  readonly sentWhole: boolean
}

/** Where the bytes of a request are cut. */
export type Cut =
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'everywhere' }
  | { readonly kind: 'at'; readonly at: number }

/** Longer requests are cut near their ends only: the middle is a value or a run of keys. */
const CUT_BYTES_MAX = 300
const CUT_NEAR_ENDS = 60
/** Requests longer than this are cut one by one so far only, and everywhere at once. */
const CUT_PLACES_MAX = 120
/** Longer ones are cut everywhere at once only, near their ends. */
const LONG_REQUEST_BYTES = 4096

const RECORDED_FROM = /^Recorded from (memcached \d+\.\d+\.\d+)/m

export function parseTranscript(text: string): Section[] {
  const [head = '', ...parts] = text.split(/^## /m)
  const version = RECORDED_FROM.exec(head)?.[1]
  assert.ok(version !== undefined, 'the head says what the transcript was recorded from')
  return parts.map((part) => {
    const title = part.slice(0, part.indexOf('\n'))
    return {
      title,
      recordedFrom: RECORDED_FROM.exec(part)?.[1] ?? version,
      steps: readSteps(title, part),
      sentWhole: /^Sent whole: \S/m.test(part),
    }
  })
}

function readSteps(title: string, part: string): Step[] {
  const steps: Step[] = []
  for (const [, info = '', body = ''] of part.matchAll(/^```(.*)\n([^]*?)^```$/gm)) {
    const last = steps.at(-1)
    if (info === 'send') steps.push({ kind: 'send', body })
    else if (info === 'wait') steps.push({ kind: 'wait', seconds: Number(body) })
    else if (info === 'recv' || info === 'recv closed' || info === 'recv ours') {
      steps.push({ kind: 'recv', body, memcached: undefined, closed: info === 'recv closed' })
    } else if (info === 'recv memcached' && last?.kind === 'recv') {
      steps[steps.length - 1] = { ...last, memcached: body }
    } else assert.fail(`${title}: there is no block "${info}" at this place`)
  }
  assert.ok(steps.length > 0, `${title}: a section has steps`)
  return steps
}

/** Numbers that were given a letter while a section is replayed. */
export class Bindings {
  readonly nowS: number
  readonly #values = new Map<string, string>()

  constructor(nowS: number) {
    this.nowS = nowS
  }

  get(letter: string): string | undefined {
    return this.#values.get(letter)
  }

  /** Keeps a number; false if another letter has it. */
  bind(letter: string, value: string): boolean {
    if ([...this.#values.values()].includes(value)) return false
    this.#values.set(letter, value)
    return true
  }
}

const ESCAPE = /\\(?:x([\da-f]{2})|\{([^}]*)\}|([rnt\\])|(\n))/gi
const CONTROLS: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' }

/** A body cut into literal text and the words of its braces. */
function tokens(body: string): { readonly text: string; readonly isWord: boolean }[] {
  const all: { text: string; isWord: boolean }[] = []
  let at = 0
  const literal = (text: string): void => void all.push({ text, isWord: false })
  // A page is UTF-8, the wire is bytes: one character of these texts stands for one byte.
  const wire = Buffer.from(body).toString('latin1')
  for (const match of wire.matchAll(ESCAPE)) {
    literal(wire.slice(at, match.index).replaceAll('\n', '\r\n'))
    at = match.index + match[0].length
    const [, hex, word, control] = match
    if (hex !== undefined) literal(String.fromCharCode(Number.parseInt(hex, 16)))
    else if (word !== undefined) all.push({ text: word, isWord: true })
    else if (control !== undefined) literal(CONTROLS[control]!)
  }
  literal(wire.slice(at).replaceAll('\n', '\r\n'))
  return all
}

function expandWord(word: string, bindings: Bindings): string | undefined {
  const repeat = /^([^]+)\*(\d+)$/.exec(word)
  if (repeat !== null) return repeat[1]!.replaceAll('\n', '\r\n').repeat(Number(repeat[2]))
  const time = /^now([+-]\d+)$/.exec(word)
  if (time !== null) return String(bindings.nowS + Number(time[1]))
  return word.startsWith('cas ') ? bindings.get(word.slice(4)) : undefined
}

/** The bytes of a `send`, one character each. */
export function requestBytes(body: string, bindings: Bindings): string {
  return tokens(body)
    .map(({ text, isWord }) => {
      if (!isWord) return text
      const expanded = expandWord(text, bindings)
      assert.ok(expanded !== undefined, `\\{${text}} is not known here`)
      return expanded
    })
    .join('')
}

const PATTERNS: Readonly<Record<string, string>> = {
  number: '\\d+',
  text: '[^\\r\\n]*',
  lines: '(?:[^\\r\\n]*\\r\\n)*?',
}

/** Whether `got` is what a `recv` says; binds the letters in it. */
export function matchesReply(body: string, got: string, bindings: Bindings): boolean {
  const letters: string[] = []
  let literal = ''
  let isLiteral = true
  const source = tokens(body).map(({ text, isWord }) => {
    const known = isWord ? expandWord(text, bindings) : text
    if (known !== undefined) {
      literal += known
      return known.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    }
    isLiteral = false
    const pattern = PATTERNS[text]
    if (pattern !== undefined) return pattern
    const letter = text.replace(/^cas /, '')
    const earlier = letters.indexOf(letter)
    if (earlier >= 0) return `\\${earlier + 1}(?!\\d)`
    letters.push(letter)
    return '(\\d+)'
  })
  if (isLiteral) return got === literal
  const match = new RegExp(`^${source.join('')}$`).exec(got)
  return match !== null && letters.every((letter, i) => bindings.bind(letter, match[i + 1]!))
}

export interface Replay {
  readonly section: Section
  readonly client: TestClient
  readonly nowS: number
  readonly cut: Cut
  /** Lets seconds go by. */
  wait(seconds: number): Promise<void> | void
  /** Judge by what memcached says where ours deliberately differs. */
  readonly asMemcached?: boolean
  /** How long a reply may take. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 5000

/** Sends a section step by step and compares each reply as it comes, then the rest: nothing. */
export async function replay(how: Replay): Promise<void> {
  const { section, client } = how
  const bindings = new Bindings(how.nowS)
  let isClosed = false
  for (const step of section.steps) {
    if (step.kind === 'send') await sendCut(client, requestBytes(step.body, bindings), how.cut)
    else if (step.kind === 'wait') await how.wait(step.seconds)
    else {
      isClosed = step.closed
      const body = (how.asMemcached === true ? step.memcached : undefined) ?? step.body
      await compare(client, body, bindings, how)
    }
  }
  // The rest of the connection brings nothing: a reply too many would show here.
  if (isClosed) await client.closed(how.patienceMs)
  const rest = isClosed ? client.text : await client.finish()
  assert.equal(show(rest), '""', `${section.title}: nothing more than the replies comes`)
}

async function compare(
  client: TestClient,
  body: string,
  bindings: Bindings,
  { section: { title }, patienceMs = PATIENCE_MS }: Replay,
): Promise<void> {
  if (body === '') return
  let matched = false
  let seen = -1
  const done = (): boolean => {
    if (client.length === seen) return client.ended
    seen = client.length
    matched = matchesReply(body, client.text, bindings)
    return matched || client.ended
  }
  await client.until(done, patienceMs)
  if (!matched) {
    const wanted = show(
      tokens(body)
        .map(({ text, isWord }) => (isWord ? `\\{${text}}` : text))
        .join(''),
    )
    assert.equal(show(client.text), wanted, `${title}: the reply`)
  }
  await client.take(client.length)
}

/** Sends every request of a section in one write and compares the replies as one stream. */
export async function replayPipelined(
  section: Section,
  client: TestClient,
  nowS: number,
): Promise<void> {
  const bindings = new Bindings(nowS)
  let requests = ''
  let replies = ''
  let isClosed = false
  for (const step of section.steps) {
    if (step.kind === 'send') requests += requestBytes(step.body, bindings)
    else if (step.kind === 'recv') {
      replies += step.body
      isClosed = step.closed
    }
  }
  client.send(requests)
  if (isClosed) await client.closed()
  const got = isClosed ? client.text : await client.finish()
  const all = got
  if (!matchesReply(replies, all, bindings)) {
    assert.equal(show(all), show(replies.replaceAll('\n', '\r\n')), `${section.title}, pipelined`)
  }
}

/** Whether all requests of a section can be sent before the first reply is there. */
export function canBePipelined(section: Section): boolean {
  return section.steps.every(
    (step) => step.kind === 'recv' || (step.kind === 'send' && !step.body.includes('\\{cas ')),
  )
}

/** How many places there are to cut the requests of a section at, one by one. */
export function cutPlaces(section: Section, nowS: number): number {
  const bindings = new Bindings(nowS)
  const lengths = section.steps.map((step) =>
    step.kind === 'send'
      ? requestBytes(step.body.replaceAll(/\\\{cas .\}/g, '1'), bindings).length
      : 0,
  )
  const longest = Math.max(...lengths)
  if (longest > LONG_REQUEST_BYTES) return 0
  return longest > CUT_BYTES_MAX ? CUT_NEAR_ENDS : Math.min(longest - 1, CUT_PLACES_MAX)
}

async function sendCut(client: TestClient, bytes: string, cut: Cut): Promise<void> {
  const length = bytes.length
  const ends: number[] = []
  if (cut.kind === 'at') ends.push(cut.at < length ? cut.at : length)
  if (cut.kind === 'everywhere') {
    const isShort = length <= CUT_BYTES_MAX
    for (let at = 1; at < length; at++) {
      if (isShort || at <= CUT_NEAR_ENDS || at >= length - CUT_NEAR_ENDS) ends.push(at)
    }
  }
  let from = 0
  for (const to of [...ends, length]) {
    if (to === from) continue
    client.send(bytes.slice(from, to))
    from = to
    // Two turns of the event loop: the server has read this piece before the next is sent.
    if (to < length) await turns(2)
  }
}
