/**
 * What a client asks and what it is told, as records; how a request looks on the wire.
 *
 * An operation concerns one key. A request is what goes over the wire as one command: one operation,
 * or several gets of one line.
 */
export const VERBS = [
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'incr',
  'decr',
  'touch',
  'gat',
  'delete',
  'get',
  'flush_all',
  'version',
] as const
export type Verb = (typeof VERBS)[number]

export interface Operation {
  readonly verb: Verb
  /** Empty for flush_all and version. */
  readonly key: string
  readonly value: Buffer
  readonly flags: number
  /** As the client writes it; for flush_all its delay. */
  readonly exptime: number
  readonly delta: bigint
  /** The cas token. */
  readonly token: string
  /** `noreply` */
  readonly quiet: boolean
}

export interface Hit {
  readonly value: Buffer
  readonly flags: number
  readonly cas: string
}

/** A line of text, or what a get found: a hit, or a miss. */
export type Reply =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'hit'; readonly hit: Hit }
  | { readonly kind: 'miss' }

/** Client time, in ms since 1970, between which the server carried an operation out. */
export interface Interval {
  readonly sentMs: number
  readonly receivedMs: number
}

const NOTHING = Buffer.alloc(0)
const LINE_END = Buffer.from('\r\n')
/** More of a line than this is not shown. */
const SHOWN_BYTES = 24

export function operation(
  verb: Verb,
  key: string,
  fields: Partial<Omit<Operation, 'verb' | 'key'>> = {},
): Operation {
  return {
    verb,
    key,
    value: NOTHING,
    flags: 0,
    exptime: 0,
    delta: 1n,
    token: '0',
    quiet: false,
    ...fields,
  }
}

/** Whether an operation may leave a key otherwise than it was. */
export function mutates({ verb }: Operation): boolean {
  return verb !== 'get' && verb !== 'version'
}

/** Whether its reply is made of VALUE blocks and END. */
export function retrieves({ verb }: Operation): boolean {
  return verb === 'get' || verb === 'gat'
}

/** The bytes of a request. Only gets may be several. */
export function encode(operations: readonly Operation[]): Buffer[] {
  const first = operations[0]!
  const { verb, key, value, flags, exptime, delta, token } = first
  const noreply = first.quiet ? ' noreply' : ''
  switch (verb) {
    case 'get':
      return [Buffer.from(`gets ${operations.map((one) => one.key).join(' ')}\r\n`)]
    case 'gat':
      return [Buffer.from(`gats ${exptime} ${key}\r\n`)]
    case 'touch':
      return [Buffer.from(`touch ${key} ${exptime}${noreply}\r\n`)]
    case 'delete':
      return [Buffer.from(`delete ${key}${noreply}\r\n`)]
    case 'incr':
    case 'decr':
      return [Buffer.from(`${verb} ${key} ${delta}${noreply}\r\n`)]
    case 'flush_all':
      return [Buffer.from(exptime === 0 ? 'flush_all\r\n' : `flush_all ${exptime}\r\n`)]
    case 'version':
      return [Buffer.from('version\r\n')]
    default: {
      const unique = verb === 'cas' ? ` ${token}` : ''
      const line = `${verb} ${key} ${flags} ${exptime} ${value.length}${unique}${noreply}\r\n`
      return [Buffer.from(line), value, LINE_END]
    }
  }
}

/** An operation in a line, for the history of a key. */
export function describeOperation(one: Operation): string {
  const { verb, value, flags, exptime, delta, token, quiet } = one
  const parts: string[] = [verb]
  if (value.length > 0) parts.push(describeValue(value, flags))
  if (verb === 'incr' || verb === 'decr') parts.push(String(delta))
  if (verb === 'cas') parts.push(`token=${token}`)
  if (exptime !== 0) parts.push(`exptime=${exptime}`)
  if (quiet) parts.push('noreply')
  return parts.join(' ')
}

export function describeReply(reply: Reply): string {
  if (reply.kind === 'line') return reply.line
  if (reply.kind === 'miss') return 'miss'
  const { value, flags, cas } = reply.hit
  return `${describeValue(value, flags)} cas=${cas}`
}

/** Values begin with their key and version, so their beginning tells which one it is. */
export function describeValue(value: Buffer, flags: number): string {
  const start = value.toString('latin1', 0, SHOWN_BYTES).replaceAll(/[^ -~]/g, '.')
  return `${JSON.stringify(start)}[${value.length}] flags=${flags}`
}
