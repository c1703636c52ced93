/** Requests of the binary protocol, sound and broken. */
import { OPCODES } from '../helpers/frames.ts'
import type { Draw } from './draw.ts'
import { command } from './steps.ts'
import type { CasOf, Command } from './steps.ts'
import type { Vocabulary } from './vocabulary.ts'

const GETS = ['GET', 'GETQ', 'GETK', 'GETKQ'] as const
const GATS = ['GAT', 'GATQ', 'GATK', 'GATKQ', 'TOUCH'] as const
const STORES = ['SET', 'SETQ', 'ADD', 'ADDQ', 'REPLACE', 'REPLACEQ'] as const
const JOINS = ['APPEND', 'APPENDQ', 'PREPEND', 'PREPENDQ'] as const
const COUNTS = ['INCR', 'INCRQ', 'DECR', 'DECRQ'] as const
const OPAQUES = 0xfd_00_00_00

interface Fields {
  readonly extras?: string
  readonly key?: string
  readonly value?: string
  readonly cas?: CasOf | bigint
  /** What the header says, where it is not the truth. */
  readonly keyBytes?: number
  readonly extraBytes?: number
  readonly bodyBytes?: number
  readonly magic?: number
}

/** One request about keys of `lane`, or about `shown`, whose cas number was shown just before. */
export function binaryCommand(
  draw: Draw,
  words: Vocabulary,
  lane: number,
  shown?: string,
): Command {
  const key = shown ?? words.key(lane)
  const cas = casField(draw, key, shown !== undefined)
  return draw.weighted([
    [30, () => frame(draw, draw.of(GETS), { key })],
    [8, () => frame(draw, draw.of(GATS), { key, extras: u32(exptime(draw)) })],
    [
      30,
      () => {
        const extras = u32(draw.of([0, 0, 7, 0xde_ad_be_ef])) + u32(exptime(draw))
        return frame(draw, draw.of(STORES), { key, extras, value: words.value(), ...cas })
      },
    ],
    [8, () => frame(draw, draw.of(JOINS), { key, value: words.value(), ...cas })],
    [10, () => frame(draw, draw.of(COUNTS), { key, extras: counterExtras(draw, words), ...cas })],
    [5, () => frame(draw, draw.of(['DELETE', 'DELETEQ']), { key, ...cas })],
    [2, () => frame(draw, draw.of(['NOOP', 'VERSION']), {})],
    [1, () => frame(draw, 'STAT', { key: draw.of(['nosuch', 'reset']) })],
    // Without a body: of one that is unknown servers skip different lengths.
    [1, () => frame(draw, draw.of(['SASL_LIST', 'VERBOSITY', '0x2a', '0xff', '0x1f']), {})],
    [
      0.15,
      () => frame(draw, draw.of(['FLUSH', 'FLUSHQ']), draw.chance(0.5) ? {} : { extras: u32(0) }),
    ],
    [0.6, () => broken(draw, words, key)],
    [0.1, () => frame(draw, draw.of(['QUIT', 'QUITQ']), {})],
  ])
}

/** The cas numbers that a text connection was shown. */
function casField(draw: Draw, key: string, isShown: boolean): { cas?: CasOf | bigint } {
  if (isShown) return { cas: { key, age: draw.of([0, 0, 0, 1]), form: 'bytes' } }
  return draw.chance(0.05) ? { cas: draw.of([987_654_321n, 0xffff_ffff_ffff_ffffn]) } : {}
}

/** What ends the connection, or is answered with an error. */
function broken(draw: Draw, words: Vocabulary, key: string): Command {
  const name = draw.of([
    ...STORES,
    ...JOINS,
    ...COUNTS,
    'DELETE',
    'GET',
    'NOOP',
    'FLUSH',
    'VERSION',
  ])
  return draw.weighted([
    [2, () => frame(draw, name, { key, extras: draw.of(['', 'x', u32(0), u32(0) + u32(0)]) })],
    [1, () => frame(draw, draw.of(['GET', 'SET', 'DELETE', 'INCR']), {})],
    [1, () => frame(draw, draw.of(['GET', 'DELETE']), { key: words.wrongKey() })],
    [1, () => frame(draw, 'GET', { key, value: 'x' })],
    [1, () => frame(draw, name, { key, keyBytes: draw.of([0, 1, 255, 65_535]) })],
    [1, () => frame(draw, 'SET', { key, extras: u32(0) + u32(0), bodyBytes: draw.of([0, 3, 8]) })],
    [1, () => strange(draw, key)],
  ])
}

/** A frame that is none. One before it, so that the connection is a binary one whatever comes then. */
function strange(draw: Draw, key: string): Command {
  const first = frame(draw, 'NOOP', {})
  const second = frame(draw, 'GET', { key, magic: draw.of([0x81, 0x00, 0x67]) })
  return command(...first.parts, ...second.parts)
}

function exptime(draw: Draw): number {
  return draw.of([0, 0, 0, 0, 100, 1000, 2_592_000, 2_592_001, 0xffff_ffff])
}

function counterExtras(draw: Draw, words: Vocabulary): string {
  return (
    u64(BigInt(words.delta())) +
    u64(BigInt(words.initial())) +
    u32(draw.of([0, 100, 0xffff_ffff, 0xffff_ffff]))
  )
}

function frame(draw: Draw, name: string, fields: Fields): Command {
  const { extras = '', key = '', value = '', cas = 0n } = fields
  const { keyBytes = key.length, extraBytes = extras.length, magic = 0x80 } = fields
  const { bodyBytes = extras.length + key.length + value.length } = fields
  const header = Buffer.alloc(16)
  header.writeUInt8(magic, 0)
  header.writeUInt8(OPCODES[name] ?? Number(name), 1)
  header.writeUInt16BE(keyBytes, 2)
  header.writeUInt8(extraBytes, 4)
  header.writeUInt32BE(bodyBytes, 8)
  header.writeUInt32BE(draw.below(OPAQUES), 12)
  const casPart = typeof cas === 'bigint' ? u64(cas) : cas
  return command(header.toString('latin1'), casPart, extras + key + value)
}

function u32(number: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes.toString('latin1')
}

function u64(number: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(number)
  return bytes.toString('latin1')
}
