// The frame of the binary protocol, as far as it is spoken here. Everything is big endian.
//
//   byte  0  magic         0x80 in a request, 0x81 in a reply
//         1  opcode        a reply repeats it
//         2  key bytes     16 bits
//         4  extras bytes
//         5  data type     0
//         6  reserved      16 bits; the status in a reply
//         8  body bytes    32 bits: extras, key and value together
//        12  opaque        a reply repeats it
//        16  cas           64 bits, 0 for none
//        24  extras, key, value

export const Magic = { request: 0x80, reply: 0x81 } as const
export const Opcode = { get: 0x00, set: 0x01, noop: 0x0a, getkq: 0x0d, setq: 0x11 } as const
export const Status = { ok: 0, notFound: 1 } as const

export const HEADER_BYTES = 24
export const CAS_AT = 16
export const CAS_BYTES = 8
/** The extras of a set: client flags and expiry. */
export const SET_EXTRAS_BYTES = 8
/** The extras of a hit: client flags. */
export const HIT_EXTRAS_BYTES = 4

/** Writes a header without a cas and returns the new end. */
export function writeHeader(
  out: Buffer,
  at: number,
  magic: number,
  opcode: number,
  keyBytes: number,
  extrasBytes: number,
  status: number,
  bodyBytes: number,
  opaque: number,
): number {
  out[at] = magic
  out[at + 1] = opcode
  out[at + 2] = keyBytes >>> 8
  out[at + 3] = keyBytes
  out[at + 4] = extrasBytes
  out[at + 5] = 0
  out[at + 6] = status >>> 8
  out[at + 7] = status
  writeWord(out, at + 8, bodyBytes)
  writeWord(out, at + 12, opaque)
  writeWord(out, at + CAS_AT, 0)
  return writeWord(out, at + CAS_AT + 4, 0)
}

export function writeWord(out: Buffer, at: number, word: number): number {
  out[at] = word >>> 24
  out[at + 1] = word >>> 16
  out[at + 2] = word >>> 8
  out[at + 3] = word
  return at + 4
}
