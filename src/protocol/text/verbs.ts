/** The verbs of the text protocol, told apart in place. */
import { equalsText } from '../../bytes/ascii.ts'
import type { Bytes } from '../../bytes/ascii.ts'
import { OP } from '../../message/codes.ts'
import type { Op } from '../../message/codes.ts'

/** Short verbs as words of four bytes, little endian, as they stand in the input. */
const VERB = {
  get: 0x746567,
  gat: 0x746167,
  set: 0x746573,
  add: 0x646461,
  cas: 0x736163,
  gats: 0x73746167,
  quit: 0x74697571,
} as const
/** The first four bytes of a line that goes on with a key, as such a word; of a short verb with the space behind it. */
export const LINE_START = {
  get: 0x20746567,
  set: 0x20746573,
  add: 0x20646461,
  cas: 0x20736163,
  gets: 0x73746567,
  incr: 0x72636e69,
  decr: 0x72636564,
  touch: 0x63756f74,
  delete: 0x656c6564,
  append: 0x65707061,
  prepend: 0x70657270,
  replace: 0x6c706572,
} as const
/** Verbs of two letters. A meta command with a key is not read by this table. */
const META_VERB = {
  mg: 0x676d,
  ms: 0x736d,
  md: 0x646d,
  ma: 0x616d,
  me: 0x656d,
  mn: 0x6e6d,
} as const
const TWO_BYTES = 0xffff
const THREE_BYTES = 0xffffff

/** The command that a verb names; case matters. A verb is followed by at least one byte. */
export function verbOf(bytes: Bytes, start: number, end: number): Op {
  // A line has four bytes at least, so the first four can be compared as one word.
  const word = bytes.view.getInt32(start, true)
  switch (end - start) {
    case 2:
      switch (word & TWO_BYTES) {
        case META_VERB.mg:
        case META_VERB.ms:
        case META_VERB.md:
        case META_VERB.ma:
        case META_VERB.me:
          return OP.META_GET
        case META_VERB.mn:
          return OP.NOOP
        default:
          return OP.NONE
      }
    case 3:
      switch (word & THREE_BYTES) {
        case VERB.get:
        case VERB.gat:
          return OP.GET
        case VERB.set:
          return OP.SET
        case VERB.add:
          return OP.ADD
        case VERB.cas:
          return OP.CAS
        default:
          return adminVerbOf(bytes.buffer, start, end)
      }
    case 4:
      switch (word) {
        case LINE_START.gets:
        case VERB.gats:
          return OP.GET
        case LINE_START.incr:
          return OP.INCR
        case LINE_START.decr:
          return OP.DECR
        case VERB.quit:
          return OP.QUIT
        default:
          return OP.NONE
      }
    default:
      return longVerbOf(bytes.buffer, start, end)
  }
}

function longVerbOf(buffer: Buffer, start: number, end: number): Op {
  switch (end - start) {
    case 5:
      if (equalsText(buffer, start, end, 'touch')) return OP.TOUCH
      if (equalsText(buffer, start, end, 'stats')) return OP.STATS
      if (equalsText(buffer, start, end, 'watch')) return OP.WATCH
      break
    case 6:
      if (equalsText(buffer, start, end, 'delete')) return OP.DELETE
      if (equalsText(buffer, start, end, 'append')) return OP.APPEND
      break
    case 7:
      if (equalsText(buffer, start, end, 'replace')) return OP.REPLACE
      if (equalsText(buffer, start, end, 'prepend')) return OP.PREPEND
      if (equalsText(buffer, start, end, 'version')) return OP.VERSION
      break
    default:
  }
  return adminVerbOf(buffer, start, end)
}

/** The commands for an operator: memcached knows them behind leading spaces too, and only them. */
export function adminVerbOf(buffer: Buffer, start: number, end: number): Op {
  switch (end - start) {
    case 3:
      return equalsText(buffer, start, end, 'lru') ? OP.LRU : OP.NONE
    case 5:
      return equalsText(buffer, start, end, 'slabs') ? OP.SLABS : OP.NONE
    case 8:
      if (equalsText(buffer, start, end, 'shutdown')) return OP.SHUTDOWN
      if (equalsText(buffer, start, end, 'extstore')) return OP.EXTSTORE
      return OP.NONE
    case 9:
      if (equalsText(buffer, start, end, 'flush_all')) return OP.FLUSH_ALL
      if (equalsText(buffer, start, end, 'verbosity')) return OP.VERBOSITY
      if (equalsText(buffer, start, end, 'debugtime')) return OP.DEBUGTIME
      return OP.NONE
    case 11:
      return equalsText(buffer, start, end, 'lru_crawler') ? OP.LRU_CRAWLER : OP.NONE
    case 13:
      return equalsText(buffer, start, end, 'refresh_certs') ? OP.REFRESH_CERTS : OP.NONE
    case 14:
      return equalsText(buffer, start, end, 'cache_memlimit') ? OP.CACHE_MEMLIMIT : OP.NONE
    default:
      return OP.NONE
  }
}
