/**
 * One command, as plain numbers. A connection owns one record and refills it for each request:
 * refilling costs 3 to 7 ns, a fresh object 16 to 27 ns and its collection.
 *
 * The key is not copied: it is a range of `bytes`, valid until the input is consumed further. A
 * storage command keeps its other fields until its value has arrived and `finish` has run.
 */
import { bytesOf } from '../bytes/ascii.ts'
import type { Bytes } from '../bytes/ascii.ts'
import { OP, OUTCOME } from './codes.ts'
import type { Op, Outcome } from './codes.ts'
import type { Producer } from './producer.ts'

/** A meta command has no more flags than this that its reply could show. */
const SHOWN_MAX = 20
/** memcached's MFLAG_MAX_OPAQUE_LENGTH, with the letter of the flag. */
export const TOKEN_BYTES_MAX = 32
/** A key and some room to work in. */
const OWN_KEY_BYTES = 256

export class Request {
  op: Op = OP.NONE
  /** Bits of OPTION; 0 for what only gets, sets and counts. */
  options = 0
  /** Success is not answered (and for text, neither is a failure of a well-formed command). */
  quiet = false
  /** The reply shows the cas value of the item. */
  wantsCas = false
  /** The reply shows the key. */
  wantsKey = false
  /** What changes an item shows it as it is afterwards to `reply.changed` and `reply.counter`. */
  wantsItem = false
  /** SET, APPEND, PREPEND, DELETE, INCR, DECR: only if the item has the cas number below. */
  ifCas = false
  /**
   * INCR, DECR, META_GET, APPEND, PREPEND: where there is no item, one is made to live for `vivifyS`, with
   * the initial value, no value, or the value that was to be added.
   */
  vivifies = false
  /** A GET that also sets the expiry to `exptime`. */
  touches = false
  /** The last key of a multiget; its reply ends the list. */
  last = false
  /** A multiget is under way: the input goes on with its next key. */
  continues = false

  /** The key: `keyBytes` bytes of `bytes` from `keyStart` on. For STATS and its like, all its words. */
  bytes: Bytes
  keyStart = 0
  keyBytes = 0

  clientFlags = 0
  /** As the client wrote it, seconds: relative up to 30 days, then absolute, negative for the past. */
  exptime = 0
  /** Length of the value that follows. */
  valueBytes = 0
  /** Bytes after the value that belong to it: 2 where a line end closes it. */
  trailerBytes = 0
  /** CAS, or `ifCas`: the token that the item must have. */
  casHi = 0
  casLo = 0
  /** INCR and DECR: the difference. VERBOSITY: `deltaLo` is the level. */
  deltaHi = 0
  deltaLo = 0
  initialHi = 0
  initialLo = 0
  /** Written as `exptime` is. */
  vivifyS = 0
  /** RECACHE: written as `exptime` is. */
  recacheS = 0
  /** NEW_CAS: the cas number that the item gets. */
  newCasHi = 0
  newCasLo = 0

  /** What the reply of the binary protocol repeats: the number of the command, and one of the client's. */
  opcode = 0
  opaque = 0
  /** What the reply of a meta command shows, in this order: letters of flags, and how many. */
  readonly shown: Uint8Array = new Uint8Array(SHOWN_MAX)
  shownCount = 0
  /** The flag of a meta command that its reply repeats as it came. */
  readonly token: Bytes = bytesOf(Buffer.alloc(TOKEN_BYTES_MAX))
  tokenBytes = 0
  /** A key that does not stand in the input as it is, or is needed after the input is gone. */
  readonly ownKey: Bytes = bytesOf(Buffer.alloc(OWN_KEY_BYTES))

  /** Set by `begin`: the reserved item that the value goes into, 0 if there is none. */
  item = 0
  /** Set by `begin`: where in the heap the value goes, 0 if it is stored already. */
  valueStart = 0

  /** Set by what looks a key up: it was there. */
  isHit = false

  /** What is left of a long answer. */
  producer: Producer | null = null
  /** WATCH: bits of TOPIC. */
  topics = 0

  /** Why a request is refused (of FLUSH_ALL, what is wrong with it, or NONE), and how many bytes of input its value would have taken. */
  outcome: Outcome = OUTCOME.NONE
  swallowBytes = 0

  constructor(bytes: Bytes) {
    this.bytes = bytes
  }
}
