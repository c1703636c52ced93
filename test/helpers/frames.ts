/**
 * Frames of the binary protocol as lines that people can read, written with a table of their own: a
 * test does not ask the program what the numbers mean.
 *
 * ```
 * #1 SET flags=0xff exptime=10 key=foo value=bar       a request; #1 is its opaque
 * #1 SET ok cas=A                                      its reply
 * #2 GETK 0x01 key=nope                                a reply with a status
 * hex 80 0a 00                                         bytes as they are
 * ```
 * `key` and `value` are bare words or JSON strings, one character a byte, and `"x"*1000` is a text
 * repeated. `extras` is hex. In a request `cas` is a number, or a letter that a reply was given before;
 * `magic`, `keybytes`, `extrabytes` and `bodybytes` say something else in the header than what is true.
 */
import assert from 'node:assert/strict'

export const OPCODES: Readonly<Record<string, number>> = {
  GET: 0x00,
  SET: 0x01,
  ADD: 0x02,
  REPLACE: 0x03,
  DELETE: 0x04,
  INCR: 0x05,
  DECR: 0x06,
  QUIT: 0x07,
  FLUSH: 0x08,
  GETQ: 0x09,
  NOOP: 0x0a,
  VERSION: 0x0b,
  GETK: 0x0c,
  GETKQ: 0x0d,
  APPEND: 0x0e,
  PREPEND: 0x0f,
  STAT: 0x10,
  SETQ: 0x11,
  ADDQ: 0x12,
  REPLACEQ: 0x13,
  DELETEQ: 0x14,
  INCRQ: 0x15,
  DECRQ: 0x16,
  QUITQ: 0x17,
  FLUSHQ: 0x18,
  APPENDQ: 0x19,
  PREPENDQ: 0x1a,
  VERBOSITY: 0x1b,
  TOUCH: 0x1c,
  GAT: 0x1d,
  GATQ: 0x1e,
  SASL_LIST: 0x20,
  SASL_AUTH: 0x21,
  SASL_STEP: 0x22,
  GATK: 0x23,
  GATKQ: 0x24,
}
const NAMES = new Map(Object.entries(OPCODES).map(([name, code]) => [code, name]))
const HEADER_BYTES = 24
const MAGIC_REPLY = 0x81

export interface Frame {
  readonly magic: number
  readonly opcode: number
  readonly status: number
  readonly opaque: number
  readonly cas: bigint
  readonly extras: Buffer
  readonly key: string
  readonly value: string
}

export type Fields = Readonly<Record<string, string>>

/** The fields of `name=value` words. */
function fieldsOf(text: string): Fields {
  const fields: Record<string, string> = {}
  for (const [, name, value] of text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"(?:\*\d+)?|\S+)/g)) {
    fields[name!] = value!
  }
  return fields
}

function textOf(word: string | undefined): string {
  if (word === undefined) return ''
  const repeat = /^(".*")\*(\d+)$/s.exec(word)
  if (repeat !== null) return textOf(repeat[1]).repeat(Number(repeat[2]))
  if (!word.startsWith('"')) return word
  const text: unknown = JSON.parse(word)
  assert.ok(typeof text === 'string')
  return text
}

/** The bytes of one line. `casOf` knows the letters. */
export function requestFrame(line: string, casOf: (letter: string) => bigint): Buffer {
  const raw = /^hex ([\da-f ]+)$/.exec(line)
  if (raw !== null) return Buffer.from(raw[1]!.replaceAll(' ', ''), 'hex')
  const [, opaque, name = '', rest = ''] = /^#(\d+) (\w+)(?: (.*))?$/s.exec(line) ?? []
  const opcode = OPCODES[name] ?? Number(name)
  assert.ok(opaque !== undefined && !Number.isNaN(opcode), `no request: ${line}`)
  const fields = fieldsOf(rest)
  const extras = extrasOf(name.replace(/(?<=.)Q$/, ''), fields)
  const key = Buffer.from(textOf(fields['key']), 'latin1')
  const value = Buffer.from(textOf(fields['value']), 'latin1')
  const header = Buffer.alloc(HEADER_BYTES)
  const said = (field: string, truth: number): number => Number(fields[field] ?? truth)
  header.writeUInt8(said('magic', 0x80), 0)
  header.writeUInt8(opcode, 1)
  header.writeUInt16BE(said('keybytes', key.length), 2)
  header.writeUInt8(said('extrabytes', extras.length), 4)
  header.writeUInt32BE(said('bodybytes', extras.length + key.length + value.length), 8)
  header.writeUInt32BE(Number(opaque), 12)
  const cas = fields['cas'] ?? '0'
  header.writeBigUInt64BE(/^\d/.test(cas) ? BigInt(cas) : casOf(cas), 16)
  return Buffer.concat([header, extras, key, value])
}

/** The extras that a command has by itself, unless others are asked for. */
function extrasOf(name: string, fields: Fields): Buffer {
  if (fields['extras'] !== undefined)
    return Buffer.from(fields['extras'].replace('none', ''), 'hex')
  const exptime = Number(fields['exptime'] ?? 0)
  if (['SET', 'ADD', 'REPLACE'].includes(name)) return words(Number(fields['flags'] ?? 0), exptime)
  if (['TOUCH', 'GAT', 'GATK'].includes(name)) return words(exptime)
  if (name === 'FLUSH') return fields['exptime'] === undefined ? Buffer.alloc(0) : words(exptime)
  if (name !== 'INCR' && name !== 'DECR') return Buffer.alloc(0)
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64BE(BigInt(fields['delta'] ?? 1), 0)
  numbers.writeBigUInt64BE(BigInt(fields['initial'] ?? 0), 8)
  return Buffer.concat([numbers, words(exptime)])
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, i * 4)
  return bytes
}

/** The whole frames that `bytes` begins with, and what is left behind them. */
export function readFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 8)
    if (end > bytes.length) break
    const keyAt = at + HEADER_BYTES + bytes.readUInt8(at + 4)
    const valueAt = keyAt + bytes.readUInt16BE(at + 2)
    frames.push({
      magic: bytes.readUInt8(at),
      opcode: bytes.readUInt8(at + 1),
      status: bytes.readUInt16BE(at + 6),
      opaque: bytes.readUInt32BE(at + 12),
      cas: bytes.readBigUInt64BE(at + 16),
      extras: bytes.subarray(at + HEADER_BYTES, keyAt),
      key: bytes.toString('latin1', keyAt, valueAt),
      value: bytes.toString('latin1', valueAt, end),
    })
    at = end
  }
  return { frames, rest: bytes.subarray(at) }
}

/** The letters of cas numbers: each number has one, in the order in which they are met. */
export class CasLetters {
  readonly #numbers: bigint[] = []

  letterOf(cas: bigint): string {
    let index = this.#numbers.indexOf(cas)
    if (index < 0) index = this.#numbers.push(cas) - 1
    return String.fromCharCode(65 + index)
  }

  numberOf(letter: string): bigint {
    const number = this.#numbers[letter.charCodeAt(0) - 65]
    assert.ok(number !== undefined, `no reply had the cas number ${letter} yet`)
    return number
  }
}

/** A reply as one line, the same for the same frame. */
export function replyLine(frame: Frame, letters: CasLetters): string {
  const { opcode, status, opaque, extras, key, value, cas } = frame
  const name = NAMES.get(opcode) ?? hex(opcode)
  const said = [`#${opaque}`, name, status === 0 ? 'ok' : hex(status)]
  if (frame.magic !== MAGIC_REPLY) said.push(`magic=${hex(frame.magic)}`)
  if (extras.length === 4) said.push(`flags=0x${extras.toString('hex').replace(/^0+(?=.)/, '')}`)
  else if (extras.length > 0) said.push(`extras=${extras.toString('hex')}`)
  if (key !== '') said.push(`key=${written(key)}`)
  if (isCounter(name) && status === 0) {
    said.push(`count=${Buffer.from(value, 'latin1').readBigUInt64BE()}`)
  } else if (value !== '') said.push(`value=${written(value)}`)
  if (cas !== 0n) said.push(`cas=${letters.letterOf(cas)}`)
  return said.join(' ')
}

function isCounter(name: string): boolean {
  return /^(?:INCR|DECR)Q?$/.test(name)
}

function written(text: string): string {
  if (/^[\w.:-]+$/.test(text) && text.length < 60) return text
  if (text.length >= 60 && text === text[0]!.repeat(text.length)) {
    return `${JSON.stringify(text[0])}*${text.length}`
  }
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u00ff]/g,
    (c) => `\\u00${c.charCodeAt(0).toString(16)}`,
  )
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(2, '0')}`
}
