// Reads trace files: .rct (columns), oracleGeneral of libCacheSim (records), and plain lines.
//
// A file that ends in .xz, .zst or .gz is unpacked by the program of that name, which has to be there.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { KeyNumbers, TRACE_OP, type Trace } from './trace.ts'

const UNPACKERS: Readonly<Record<string, string>> = { xz: 'xz', zst: 'zstd', gz: 'gzip' }
const UNPACKED_BYTES_MAX = 2 ** 32

const RCT_MAGIC = 'RCT1'
const RCT_HEADER_BYTES = 32
const RCT_FLAG = { SIZES: 1, OPS: 2, TTLS: 4, TIMES: 8 } as const

/** u32 time in seconds, u64 key, u32 size, i64 when the key comes next. */
const ORACLE_RECORD_BYTES = 24

const OPS: Readonly<Record<string, number>> = {
  get: TRACE_OP.GET,
  '0': TRACE_OP.GET,
  set: TRACE_OP.SET,
  '1': TRACE_OP.SET,
  delete: TRACE_OP.DELETE,
  '2': TRACE_OP.DELETE,
}

/** Reads a trace, in the format that the name of its file and its first bytes tell. */
export function readTrace(path: string): Trace {
  const packing = /\.(xz|zst|gz)$/.exec(path)?.[1]
  const inner = basename(packing === undefined ? path : path.slice(0, -packing.length - 1))
  const bytes = packing === undefined ? readFileSync(path) : unpack(path, UNPACKERS[packing]!)
  const name = inner.replace(/\.(rct|csv|txt|trace|oracleGeneral(\.bin)?)$/, '')
  if (bytes.toString('latin1', 0, 4) === RCT_MAGIC) return readColumns(name, bytes)
  if (/oracleGeneral/.test(inner)) return readOracle(name, bytes)
  return readLines(name, bytes.toString('utf8'))
}

function unpack(path: string, program: string): Buffer {
  const { error, status, stdout, stderr } = spawnSync(program, ['-dc', path], {
    maxBuffer: UNPACKED_BYTES_MAX,
  })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new Error(`${path} needs the program ${program} to unpack it; install it, or unpack it`)
  if (error !== undefined || status !== 0)
    throw new Error(`${path} cannot be unpacked: ${error?.message ?? stderr.toString().trim()}`)
  return stdout
}

/** `.rct`: a header, then one column after the other, little endian. */
export function readColumns(name: string, bytes: Buffer): Trace {
  const count = bytes.readUInt32LE(4)
  const flags = bytes.readUInt32LE(12)
  let at = RCT_HEADER_BYTES
  function words(): Uint32Array {
    if (at + count * 4 > bytes.length) throw new Error(`${name}: the file ends too early`)
    const column = new Uint32Array(count)
    for (let i = 0; i < count; i++, at += 4) column[i] = bytes.readUInt32LE(at)
    return column
  }
  const keys = words()
  const sizes = (flags & RCT_FLAG.SIZES) === 0 ? null : words()
  let ops: Uint8Array | null = null
  if ((flags & RCT_FLAG.OPS) !== 0) {
    ops = Uint8Array.from(bytes.subarray(at, at + count))
    at += count
  }
  const ttlsS = (flags & RCT_FLAG.TTLS) === 0 ? null : words()
  const timesMs = (flags & RCT_FLAG.TIMES) === 0 ? null : words()
  const keyCount = bytes.readUInt32LE(8)
  return { name, keys, keyCount, sizes, sizeDefault: bytes.readUInt32LE(16), ops, ttlsS, timesMs }
}

export function readOracle(name: string, bytes: Buffer): Trace {
  const count = Math.floor(bytes.length / ORACLE_RECORD_BYTES)
  const numbers = new KeyNumbers<bigint>()
  const keys = new Uint32Array(count)
  const sizes = new Uint32Array(count)
  const timesMs = new Uint32Array(count)
  const startS = count === 0 ? 0 : bytes.readUInt32LE(0)
  for (let i = 0, at = 0; i < count; i++, at += ORACLE_RECORD_BYTES) {
    timesMs[i] = (bytes.readUInt32LE(at) - startS) * 1000
    keys[i] = numbers.of(bytes.readBigUInt64LE(at + 4))
    sizes[i] = bytes.readUInt32LE(at + 12)
  }
  const keyCount = numbers.count
  return { name, keys, keyCount, sizes, sizeDefault: 0, ops: null, ttlsS: null, timesMs }
}

/** Lines of `key[,size[,ttl[,op]]]`; empty ones and those that begin with # say nothing. */
export function readLines(name: string, text: string): Trace {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'))
  const numbers = new KeyNumbers<string>()
  const keys = new Uint32Array(lines.length)
  const sizes = new Uint32Array(lines.length)
  const ttlsS = new Uint32Array(lines.length)
  const ops = new Uint8Array(lines.length)
  for (const [i, line] of lines.entries()) {
    const [key, size = '', ttl = '', op = ''] = line.split(',').map((field) => field.trim())
    const code = op === '' ? TRACE_OP.GET : OPS[op.toLowerCase()]
    const numeric = [size, ttl].every((field) => /^\d*$/.test(field))
    if (key === undefined || key === '' || code === undefined || !numeric)
      throw new Error(`${name}: "${line}" is not key[,size[,ttl[,get|set|delete]]]`)
    keys[i] = numbers.of(key)
    sizes[i] = Number(size)
    ttlsS[i] = Number(ttl)
    ops[i] = code
  }
  return { name, keys, keyCount: numbers.count, sizes, sizeDefault: 0, ops, ttlsS, timesMs: null }
}
