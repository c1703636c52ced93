/**
 * The integers that protocol and commands speak to each other: what is asked, what came of it.
 *
 * `as const` tables, because a `switch` over them is the cheapest dispatch there is, and because
 * the sources also run unbuilt, where an `enum` could not.
 */

/** What a request asks for. Protocols differ in spelling only, so there is one list for all. */
export const OP = {
  NONE: 0,
  /** One key of a get; `wantsCas` and `touches` tell gets, gat and gats apart. */
  GET: 1,
  SET: 2,
  ADD: 3,
  REPLACE: 4,
  APPEND: 5,
  PREPEND: 6,
  CAS: 7,
  INCR: 8,
  DECR: 9,
  TOUCH: 10,
  DELETE: 11,
  FLUSH_ALL: 12,
  STATS: 13,
  VERSION: 14,
  VERBOSITY: 15,
  QUIT: 16,
  /** Answered, and nothing else. */
  NOOP: 17,
  SASL_LIST: 18,
  SASL_AUTH: 19,
  SASL_STEP: 20,
  /** A get that takes part in the renewal of items, and may make one; see OPTION. */
  META_GET: 21,
  /** What is known about an item, for people. */
  META_DEBUG: 22,
  /** Logging in without SASL: the key is the name, and the password stands behind one byte more. */
  LOG_IN: 23,
  /** The key is the way to stop, if one is given. */
  SHUTDOWN: 24,
  /** Certificates and keys are read again. */
  REFRESH_CERTS: 25,
  /** Commands to the server whose words stand in the place of the key, all of them. */
  LRU_CRAWLER: 26,
  WATCH: 27,
  CACHE_MEMLIMIT: 28,
  SLABS: 29,
  LRU: 30,
  EXTSTORE: 31,
  DEBUGTIME: 32,
} as const

export type Op = (typeof OP)[keyof typeof OP]

/** What a request asks for beside its `op`: bits of `request.options`. */
export const OPTION = {
  /** The reply has the form of the meta commands. For a protocol to look at, not for a command. */
  META_FORM: 1,
  /** META_GET, INCR, DECR, and DELETE that keeps the item: it gets the expiry `exptime`. */
  TOUCH: 2,
  /** META_GET: who asks for an item that ends before `recacheS` is to renew it, if nobody is yet. */
  RECACHE: 4,
  /** The order in which they were asked for: RECACHE judges by the expiry that TOUCH has set. */
  TOUCH_BEFORE_RECACHE: 8,
  /** An item that is made gets the expiry of TOUCH and then that of `vivifyS`, not the other way. */
  TOUCH_BEFORE_VIVIFY: 16,
  /** META_GET: does not count as a use of the item. */
  PEEK: 32,
  /** What is changed gets the cas number `newCas`. */
  NEW_CAS: 64,
  /** DELETE: the item stays, as a stale one. CAS: one that is older than the item is stored as stale. */
  INVALIDATE: 128,
  /** DELETE: the item stays, without value and client flags. */
  EMPTY: 256,
  /** The key was written in base64, and is to be shown so. */
  BINARY_KEY: 512,
  /** A storage command that cannot be carried out takes the old value with it, as a set does. */
  DISCARD: 1024,
  /** META_GET, INCR, DECR: the reply shows the value. */
  VALUE: 2048,
  /** META_GET: the reply shows how long the item lives, when and whether it was used, or its key. */
  DETAILS: 4096,
} as const

/** What came of a request. Each protocol has its own words for each of them. */
export const OUTCOME = {
  NONE: 0,
  STORED: 1,
  NOT_STORED: 2,
  EXISTS: 3,
  NOT_FOUND: 4,
  DELETED: 5,
  TOUCHED: 6,
  OK: 7,
  RESET: 8,
  /** The item with its key and header is larger than `server.max_item_size`. */
  TOO_LARGE: 9,
  /** No chunk can be had, by eviction or otherwise. */
  NO_MEMORY: 10,
  NON_NUMERIC: 11,
  BAD_DELTA: 12,
  BAD_EXPTIME: 13,
  BAD_FORMAT: 14,
  /** The value is not followed by a line end where its length says so. */
  BAD_CHUNK: 15,
  UNKNOWN_COMMAND: 16,
  /** The client ends the connection. */
  BYE: 17,
  AUTHENTICATED: 18,
  /** Name and password do not fit, or are not understood. */
  NOT_AUTHENTICATED: 19,
  /** What can be wrong with the flags of a meta command. */
  BAD_TOKEN: 20,
  BAD_FLAG: 21,
  DUPLICATE_FLAG: 22,
  BAD_OR_DUPLICATE_FLAG: 23,
  TOO_MANY_FLAGS: 24,
  OPAQUE_TOO_LONG: 25,
  BAD_KEY_ENCODING: 26,
  BAD_SET_MODE: 27,
  BAD_ARITHMETIC_MODE: 28,
  BAD_INITIAL_VALUE: 29,
  BAD_DELTA_VALUE: 30,
  /** Nothing but a login is taken before there was one. */
  UNAUTHENTICATED: 31,
  /** What can be wrong with a login that is not in SASL. */
  BAD_LOGIN: 32,
  BAD_LOGIN_END: 33,
  LOGIN_TOO_LONG: 34,
  /** Commands that the configuration does not allow, or not in this form. */
  FLUSH_DISABLED: 35,
  SHUTDOWN_DISABLED: 36,
  BAD_SHUTDOWN: 37,
  NO_TLS: 38,
  BAD_CERTIFICATES: 39,
} as const

export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME]

/** What a parser says of the bytes it was shown. */
export const PARSED = {
  /** No whole command is there: ask again with more bytes. Nothing was consumed. */
  NEED_MORE: 0,
  /** The request is filled and its bytes are consumed. */
  READY: 1,
  /** The same, and `valueBytes` bytes of value follow in the input. */
  READY_WITH_VALUE: 2,
  /** Not a request: answer `request.outcome`, then skip `request.swallowBytes` of input. */
  REFUSED: 3,
  /** Hang up without a word. */
  HANG_UP: 4,
  /** A line is longer than the limit: hang up, and count it. */
  LINE_TOO_LONG: 5,
  /** Not a request, and what follows cannot be read either: answer `request.outcome`, then hang up. */
  MALFORMED: 6,
} as const

export type Parsed = (typeof PARSED)[keyof typeof PARSED]

/** What a handler says after it has run. */
export const RAN = {
  /** Answered, or deliberately not. */
  DONE: 0,
  /** Answered, and the connection ends when its replies have left. */
  CLOSE: 1,
  /** Nothing was done or answered: the item is on disk. To be run again once it has been loaded. */
  FAULT: 2,
  /** Answered, and from now on the client may do more. */
  AUTHENTICATED: 3,
  /** A part is answered: to be run again in the next turn, for `request.producer` has more. */
  MORE: 4,
  /** The same, but only when the producer says so. */
  PAUSED: 5,
  /** Answered, and from now on the client only listens, to `request.topics`. */
  WATCHING: 6,
} as const

export type Ran = (typeof RAN)[keyof typeof RAN]
