/**
 * The layout of a frame of the binary protocol: the only place that knows its offsets and numbers
 * (doc/protocol-binary.txt of memcached). Everything is big endian.
 *
 * ```
 * byte  0  magic           0x80 in a request, 0x81 in a reply
 *       1  opcode          a reply repeats it
 *       2  key bytes       16 bits
 *       4  extras bytes
 *       5  data type       0
 *       6  reserved        16 bits; the status in a reply
 *       8  body bytes      32 bits: extras, key and value together
 *      12  opaque          a reply repeats it
 *      16  cas             64 bits, 0 for none
 *      24  extras          storage      flags 32, exptime 32
 *                          counters     delta 64, initial value 64, exptime 32
 *                          touch, gat   exptime 32
 *                          flush        exptime 32, or nothing
 *                          a hit        flags 32
 *          key, then value
 * ```
 */
import { OP } from '../../message/codes.ts'
import type { Op } from '../../message/codes.ts'

export const MAGIC_REQUEST = 0x80
const MAGIC_REPLY = 0x81
export const HEADER_BYTES = 24
/** The field has 16 bits, but a key has the same limit in every protocol. */
export const KEY_BYTES_MAX = 250
export const FLAGS_BYTES = 4
export const COUNTER_BYTES = 8

const OPCODE = 1
const KEY_BYTES = 2
const EXTRAS_BYTES = 4
const BODY_BYTES = 8
const OPAQUE = 12
const CAS_HI = 16
const CAS_LO = 20
const STATUS = 6

const CLIENT_FLAGS = HEADER_BYTES
const STORAGE_EXPTIME = HEADER_BYTES + 4
const EXPTIME = HEADER_BYTES
const DELTA_HI = HEADER_BYTES
const DELTA_LO = HEADER_BYTES + 4
const INITIAL_HI = HEADER_BYTES + 8
const INITIAL_LO = HEADER_BYTES + 12
const COUNTER_EXPTIME = HEADER_BYTES + 16
/** As the expiry of a counter: it is not to be made. */
export const NOT_TO_BE_MADE = 0xffff_ffff

export const STATUS_CODE = {
  OK: 0,
  NOT_FOUND: 0x01,
  EXISTS: 0x02,
  TOO_LARGE: 0x03,
  INVALID: 0x04,
  NOT_STORED: 0x05,
  NON_NUMERIC: 0x06,
  NOT_AUTHENTICATED: 0x20,
  UNKNOWN_COMMAND: 0x81,
  NO_MEMORY: 0x82,
} as const

export type StatusCode = (typeof STATUS_CODE)[keyof typeof STATUS_CODE]

/** What a frame consists of beside its header. */
export const FORM = {
  /** The command is unknown, so its body may be anything. */
  UNKNOWN: 0,
  /** Nothing. */
  BARE: 1,
  /** A key. */
  KEY: 2,
  /** A key and a value. */
  KEY_VALUE: 3,
  /** Flags and expiry, a key, a value. */
  STORAGE: 4,
  /** Numbers and a key. */
  COUNTER: 5,
  /** An expiry and a key. */
  TOUCH: 6,
  /** An expiry or nothing. */
  FLUSH: 7,
  /** A key or nothing. */
  STATS: 8,
  /** The name of a mechanism and what it needs. */
  SASL: 9,
  /** Whatever it is, it is not to be had before the client has logged in. */
  LOCKED: 10,
} as const

export type Form = (typeof FORM)[keyof typeof FORM]

const FORM_SHIFT = 8
const FORM_MASK = 0xf
const OP_MASK = 0xff
const QUIET = 1 << 12
const WITH_KEY = 1 << 13
const TOUCHES = 1 << 14

/** Every command by its number: operation, form, and how it differs from others of its kind. */
const COMMANDS: readonly (readonly [opcode: number, op: Op, form: Form, traits: number])[] = [
  [0x00, OP.GET, FORM.KEY, 0],
  [0x01, OP.SET, FORM.STORAGE, 0],
  [0x02, OP.ADD, FORM.STORAGE, 0],
  [0x03, OP.REPLACE, FORM.STORAGE, 0],
  [0x04, OP.DELETE, FORM.KEY, 0],
  [0x05, OP.INCR, FORM.COUNTER, 0],
  [0x06, OP.DECR, FORM.COUNTER, 0],
  [0x07, OP.QUIT, FORM.BARE, 0],
  [0x08, OP.FLUSH_ALL, FORM.FLUSH, 0],
  [0x09, OP.GET, FORM.KEY, QUIET],
  [0x0a, OP.NOOP, FORM.BARE, 0],
  [0x0b, OP.VERSION, FORM.BARE, 0],
  [0x0c, OP.GET, FORM.KEY, WITH_KEY],
  [0x0d, OP.GET, FORM.KEY, WITH_KEY | QUIET],
  [0x0e, OP.APPEND, FORM.KEY_VALUE, 0],
  [0x0f, OP.PREPEND, FORM.KEY_VALUE, 0],
  [0x10, OP.STATS, FORM.STATS, 0],
  [0x11, OP.SET, FORM.STORAGE, QUIET],
  [0x12, OP.ADD, FORM.STORAGE, QUIET],
  [0x13, OP.REPLACE, FORM.STORAGE, QUIET],
  [0x14, OP.DELETE, FORM.KEY, QUIET],
  [0x15, OP.INCR, FORM.COUNTER, QUIET],
  [0x16, OP.DECR, FORM.COUNTER, QUIET],
  [0x17, OP.QUIT, FORM.BARE, QUIET],
  [0x18, OP.FLUSH_ALL, FORM.FLUSH, QUIET],
  [0x19, OP.APPEND, FORM.KEY_VALUE, QUIET],
  [0x1a, OP.PREPEND, FORM.KEY_VALUE, QUIET],
  [0x1c, OP.TOUCH, FORM.TOUCH, 0],
  [0x1d, OP.GET, FORM.TOUCH, TOUCHES],
  [0x1e, OP.GET, FORM.TOUCH, TOUCHES | QUIET],
  [0x20, OP.SASL_LIST, FORM.BARE, 0],
  [0x21, OP.SASL_AUTH, FORM.SASL, 0],
  [0x22, OP.SASL_STEP, FORM.SASL, 0],
  [0x23, OP.GET, FORM.TOUCH, TOUCHES | WITH_KEY],
  [0x24, OP.GET, FORM.TOUCH, TOUCHES | WITH_KEY | QUIET],
]
const OPCODES = 256

/** What a client may do. */
export const ACCESS = {
  /** Everything; there is nothing to log in to. */
  OPEN: 0,
  /** Log in, before anything else. */
  LOCKED: 1,
  /** Everything, and log in again. */
  UNLOCKED: 2,
} as const

export type Access = (typeof ACCESS)[keyof typeof ACCESS]

/** The commands that a client has, by number, as words for the functions below. */
export function commandTable(access: Access): Int32Array {
  const words = new Int32Array(OPCODES).fill(
    (access === ACCESS.LOCKED ? FORM.LOCKED : FORM.UNKNOWN) << FORM_SHIFT,
  )
  for (const [opcode, op, form, traits] of COMMANDS) {
    const isLogin = op === OP.SASL_LIST || op === OP.SASL_AUTH || op === OP.SASL_STEP
    if (access === ACCESS.LOCKED && !isLogin && op !== OP.VERSION) continue
    // Without a login its frames keep their form, and lead nowhere.
    const known = access === ACCESS.OPEN && isLogin ? OP.NONE : op
    words[opcode] = known | (form << FORM_SHIFT) | traits
  }
  return words
}

export function opOf(word: number): Op {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table holds nothing else
  return (word & OP_MASK) as Op
}
export function formOf(word: number): Form {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table holds nothing else
  return ((word >>> FORM_SHIFT) & FORM_MASK) as Form
}
export function isQuiet(word: number): boolean {
  return (word & QUIET) !== 0
}
export function isWithKey(word: number): boolean {
  return (word & WITH_KEY) !== 0
}
export function isTouching(word: number): boolean {
  return (word & TOUCHES) !== 0
}

export function opcodeAt(view: DataView, frame: number): number {
  return view.getUint8(frame + OPCODE)
}
export function keyBytesAt(view: DataView, frame: number): number {
  return view.getUint16(frame + KEY_BYTES)
}
export function extrasBytesAt(view: DataView, frame: number): number {
  return view.getUint8(frame + EXTRAS_BYTES)
}
export function bodyBytesAt(view: DataView, frame: number): number {
  return view.getUint32(frame + BODY_BYTES)
}
/** With sign, for a small integer it is then; only to be repeated. */
export function opaqueAt(view: DataView, frame: number): number {
  return view.getInt32(frame + OPAQUE)
}
export function casHiAt(view: DataView, frame: number): number {
  return view.getUint32(frame + CAS_HI)
}
export function casLoAt(view: DataView, frame: number): number {
  return view.getUint32(frame + CAS_LO)
}
export function clientFlagsAt(view: DataView, frame: number): number {
  return view.getUint32(frame + CLIENT_FLAGS)
}
/** Expiries have no sign: what would be negative is a time in the next century. */
export function storageExptimeAt(view: DataView, frame: number): number {
  return view.getUint32(frame + STORAGE_EXPTIME)
}
export function exptimeAt(view: DataView, frame: number): number {
  return view.getUint32(frame + EXPTIME)
}
export function deltaHiAt(view: DataView, frame: number): number {
  return view.getUint32(frame + DELTA_HI)
}
export function deltaLoAt(view: DataView, frame: number): number {
  return view.getUint32(frame + DELTA_LO)
}
export function initialHiAt(view: DataView, frame: number): number {
  return view.getUint32(frame + INITIAL_HI)
}
export function initialLoAt(view: DataView, frame: number): number {
  return view.getUint32(frame + INITIAL_LO)
}
export function counterExptimeAt(view: DataView, frame: number): number {
  return view.getUint32(frame + COUNTER_EXPTIME)
}

/** Writes the header of a reply without a cas number. */
export function writeHeader(
  view: DataView,
  frame: number,
  opcode: number,
  status: number,
  extrasBytes: number,
  keyBytes: number,
  bodyBytes: number,
  opaque: number,
): void {
  // Bytes 0 to 3 and 4 to 7 as a word each: two stores instead of six.
  view.setInt32(frame, (MAGIC_REPLY << 24) | (opcode << 16) | keyBytes)
  view.setInt32(frame + EXTRAS_BYTES, (extrasBytes << 24) | status)
  view.setInt32(frame + BODY_BYTES, bodyBytes)
  view.setInt32(frame + OPAQUE, opaque)
  view.setInt32(frame + CAS_HI, 0)
  view.setInt32(frame + CAS_LO, 0)
}

export function writeCas(view: DataView, frame: number, hi: number, lo: number): void {
  view.setUint32(frame + CAS_HI, hi)
  view.setUint32(frame + CAS_LO, lo)
}

/** Writes the extras of a hit. */
export function writeClientFlags(view: DataView, frame: number, flags: number): void {
  view.setUint32(frame + CLIENT_FLAGS, flags)
}

/** Writes the body of a counter. */
export function writeCounter(view: DataView, frame: number, hi: number, lo: number): void {
  view.setUint32(frame + HEADER_BYTES, hi)
  view.setUint32(frame + HEADER_BYTES + 4, lo)
}

/** The status of a reply, for those who read one. */
export function statusAt(view: DataView, frame: number): number {
  return view.getUint16(frame + STATUS)
}
