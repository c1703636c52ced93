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
} as const

export type Op = (typeof OP)[keyof typeof OP]

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
} as const

export type Ran = (typeof RAN)[keyof typeof RAN]
