/**
 * THE table of configuration keys. The type `Config`, the reader, the sample file, the printed
 * configuration and docs/CONFIG.md are all made from it; a key is added here and nowhere else.
 *
 * A key exists only if it does something. The sections without keys are reserved names: a key in
 * them is an unknown key like any other, so that no setting is ever read and then ignored.
 */

/** Every section, in the order in which it is printed, with its heading. */
export const SECTIONS = [
  { name: 'server', heading: 'Where the server listens, and what one client may ask of it.' },
  { name: 'l1', heading: 'The memory tier.' },
  { name: 'l2', heading: 'The disk tier.' },
  { name: 'compression', heading: 'Compression of values.' },
  { name: 'ttl', heading: 'Expiry.' },
  { name: 'performance', heading: 'Tuning.' },
  { name: 'logging', heading: 'The log. It never has a line per request.' },
  { name: 'metrics', heading: 'Metrics.' },
] as const

export type SectionName = (typeof SECTIONS)[number]['name']

/** How the value of a key is written and checked; see `value.ts`. */
export type KeyType =
  'string' | 'string-list' | 'integer' | 'boolean' | 'size' | 'duration' | 'octal' | 'choice'

/** One row of the table. Defaults and limits are written as in a configuration file. */
export interface KeyDefinition {
  readonly section: SectionName
  readonly name: string
  /** The name in `Config`, where the unit is part of the name. */
  readonly field: string
  readonly type: KeyType
  readonly default: string | number | boolean | readonly string[]
  /** What an integer counts, or the form of a text. */
  readonly unit?: string
  readonly min?: string | number
  readonly max?: string | number
  /** What 0 means, for a key that takes 0 beside its range. */
  readonly zero?: string
  readonly choices?: readonly string[]
  /** The options of the command line that set this key. */
  readonly options?: readonly string[]
  readonly meaning: string
}

export const KEYS = [
  {
    section: 'server',
    name: 'bind',
    field: 'bind',
    type: 'string-list',
    default: ['127.0.0.1:11211'],
    unit: '"HOST:PORT", "[IPV6]:PORT", ":PORT" (all interfaces) or "unix:/PATH"',
    options: ['--bind', '-l', '-p', '-s'],
    meaning:
      'The addresses to listen on. There is no authentication: an address that others can reach gives them the whole cache. Port 0 takes any free port.',
  },
  {
    section: 'server',
    name: 'unix_mode',
    field: 'unixMode',
    type: 'octal',
    default: '700',
    min: '0',
    max: '777',
    options: ['-a'],
    meaning: 'The permissions of a UNIX socket, octal. Clients need to read and to write it.',
  },
  {
    section: 'server',
    name: 'protocol',
    field: 'protocol',
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'ascii', 'binary'],
    options: ['-B'],
    meaning:
      'What clients speak: ascii is the text protocol, binary the binary one. With auto, the first byte of a connection tells.',
  },
  {
    section: 'server',
    name: 'max_connections',
    field: 'connectionsMax',
    type: 'integer',
    default: 1024,
    unit: 'connections',
    min: 1,
    max: 1_000_000,
    options: ['-c'],
    meaning:
      'Connections open at a time. One more is told "ERROR Too many open connections" and closed. The limit on open files of the process has to be higher.',
  },
  {
    section: 'server',
    name: 'backlog',
    field: 'backlog',
    type: 'integer',
    default: 1024,
    unit: 'connections',
    min: 1,
    max: 65_535,
    options: ['-b'],
    meaning:
      'Connections that the kernel may hold until they are accepted. The kernel has a limit of its own (net.core.somaxconn on Linux).',
  },
  {
    section: 'server',
    name: 'max_item_size',
    field: 'itemBytesMax',
    type: 'size',
    default: '1MB',
    min: '1KB',
    max: '1GB',
    options: ['-I'],
    meaning:
      'The largest item: its key, its value and its header count. At most half of l1.max_memory. A larger one is refused and what was stored under its key is removed.',
  },
  {
    section: 'server',
    name: 'idle_timeout',
    field: 'idleTimeoutMs',
    type: 'duration',
    default: '0s',
    min: '1s',
    max: '24d',
    zero: 'never',
    options: ['-o idle_timeout'],
    meaning: 'A connection that has sent nothing for this long is closed.',
  },
  {
    section: 'server',
    name: 'shutdown_timeout',
    field: 'shutdownTimeoutMs',
    type: 'duration',
    default: '10s',
    min: '0s',
    max: '1h',
    meaning:
      'How long stopping may take: until then, clients get the replies to what they have already sent; after that, their connections are cut.',
  },
  {
    section: 'server',
    name: 'max_commands_per_turn',
    field: 'commandsPerTurnMax',
    type: 'integer',
    default: 256,
    unit: 'commands',
    min: 1,
    max: 1_000_000,
    options: ['-R'],
    meaning:
      'Commands of one connection that are handled before the other connections get their turn.',
  },
  {
    section: 'server',
    name: 'max_get_line',
    field: 'getLineBytesMax',
    type: 'size',
    default: '8MB',
    min: '2KB',
    max: '256MB',
    meaning:
      'The longest command line of a get with many keys. Every other command line is limited to 2048 bytes.',
  },
  {
    section: 'server',
    name: 'max_pending_output',
    field: 'pendingOutputBytesMax',
    type: 'size',
    default: '1MB',
    min: '16KB',
    max: '1GB',
    meaning:
      'Bytes of replies that may wait for one client. When there are more, no further commands of that client are read until it has taken them.',
  },
  {
    section: 'server',
    name: 'user',
    field: 'user',
    type: 'string',
    default: '',
    unit: 'a user name; empty: stay the same user',
    options: ['-u'],
    meaning:
      'The user to change to once the addresses are bound. It counts only for a server that is started as root.',
  },
  {
    section: 'server',
    name: 'pid_file',
    field: 'pidFile',
    type: 'string',
    default: '',
    unit: 'a path; empty: none',
    options: ['-P'],
    meaning:
      'The file to write the process id to. It is removed when the server stops, if the user of the server may do so.',
  },
  {
    section: 'l1',
    name: 'max_memory',
    field: 'memoryBytesMax',
    type: 'size',
    default: '64MB',
    min: '1MB',
    options: ['-m'],
    meaning:
      'Memory for items, pages and index together. The process needs more than this: the runtime itself and the buffers of the connections come on top.',
  },
  {
    section: 'l1',
    name: 'max_entries',
    field: 'entriesMax',
    type: 'integer',
    default: 0,
    unit: 'items',
    min: 1,
    max: 4_294_967_295,
    zero: 'unlimited',
    options: ['--max-entries'],
    meaning: 'The number of items to keep at most. The limit is exact.',
  },
  {
    section: 'l1',
    name: 'eviction',
    field: 'eviction',
    type: 'choice',
    default: 'lru',
    choices: ['hybrid', 'lru', 'lfu', 'fifo'],
    options: ['--eviction'],
    meaning:
      'Which item goes when there is no room. lru: the one not used for the longest time. lfu: one of those used least often of late. fifo: the one whose key came first. hybrid: what the best of six settings of two queues says, which the policy finds out while it runs; it resists scans.',
  },
  {
    section: 'l1',
    name: 'evictions',
    field: 'evictions',
    type: 'boolean',
    default: true,
    options: ['-M'],
    meaning:
      'Whether items may be evicted at all. If not, a command that needs room when there is none gets an error.',
  },
  {
    section: 'l2',
    name: 'enabled',
    field: 'enabled',
    type: 'boolean',
    default: true,
    options: ['--no-l2'],
    meaning:
      'Whether there is a disk tier. Without one the cache is as large as memory and empty after a restart, as memcached is.',
  },
  {
    section: 'l2',
    name: 'data_dir',
    field: 'dataDir',
    type: 'string',
    default: './rat-memcached-data',
    unit: 'a path; relative to the directory that the server is started in',
    options: ['--data-dir'],
    meaning:
      'Where the disk tier lies. It is made where it is missing. One process at a time can use it; a directory that holds anything else is refused.',
  },
  {
    section: 'l2',
    name: 'max_disk_size',
    field: 'diskBytesMax',
    type: 'size',
    default: '1GB',
    min: '16MB',
    options: ['--max-disk-size'],
    meaning:
      'Bytes that the files of the disk tier may take together. When they are used up, the oldest eighth goes. The index of what is on disk needs memory: 28 bytes for each item.',
  },
  {
    section: 'l2',
    name: 'write_policy',
    field: 'writePolicy',
    type: 'choice',
    default: 'write-behind',
    choices: ['write-behind', 'write-through', 'on-evict'],
    options: ['--write-policy'],
    meaning:
      'When a change goes to disk. write-behind: within l2.write_interval, and a crash loses what was changed since. write-through: before it is acknowledged. on-evict: when memory has no room for the item any more, and when the server stops; a crash loses what was in memory only.',
  },
  {
    section: 'l2',
    name: 'write_interval',
    field: 'writeIntervalMs',
    type: 'duration',
    default: '1s',
    min: '1ms',
    max: '1m',
    meaning:
      'How long a change may wait until it is written, with write-behind. What changes again within that time is written once.',
  },
  {
    section: 'l2',
    name: 'max_staged',
    field: 'stagedBytesMax',
    type: 'size',
    default: '64MB',
    min: '1MB',
    max: '4GB',
    meaning:
      'Bytes that may wait to be written. When there are more, because the disk is slower than the clients, those who write more are made to wait. As much memory may be taken beside l1.max_memory.',
  },
  {
    section: 'l2',
    name: 'sync',
    field: 'sync',
    type: 'choice',
    default: 'never',
    choices: ['never', 'interval', 'always'],
    meaning:
      'Whether what is written is also forced out of the caches of the system. A crash of this program loses nothing without it; a power failure may lose what was not forced out. interval: every l2.sync_interval. always: with each batch that is written.',
  },
  {
    section: 'l2',
    name: 'sync_interval',
    field: 'syncIntervalMs',
    type: 'duration',
    default: '1s',
    min: '10ms',
    max: '1h',
    meaning: 'How often what is written is forced to disk, with l2.sync = "interval".',
  },
  {
    section: 'l2',
    name: 'min_item_size',
    field: 'itemBytesMin',
    type: 'size',
    default: '0',
    min: '0',
    max: '1GB',
    meaning: 'Values below this size are kept in memory only.',
  },
  {
    section: 'l2',
    name: 'max_item_size',
    field: 'itemBytesMax',
    type: 'size',
    default: '0',
    min: '1KB',
    max: '1GB',
    zero: 'unlimited',
    meaning:
      'Values above this size are kept in memory only. Values that take more than a sixteenth of l2.max_disk_size always are.',
  },
  {
    section: 'l2',
    name: 'min_ttl',
    field: 'ttlMinMs',
    type: 'duration',
    default: '0s',
    min: '0s',
    max: '30d',
    meaning:
      'Items that have less time to live than this when they would be written are kept in memory only.',
  },
  {
    section: 'l2',
    name: 'promotion',
    field: 'promotion',
    type: 'choice',
    default: 'always',
    choices: ['always', 'second-hit', 'never'],
    options: ['--promotion'],
    meaning:
      'What becomes of an item that is read from disk. always: it stays in memory. second-hit: from the second time on. never: it is used and leaves memory.',
  },
  {
    section: 'l2',
    name: 'warmup',
    field: 'warmup',
    type: 'choice',
    default: 'none',
    choices: ['none', 'recent', 'full'],
    options: ['--warmup'],
    meaning:
      'Whether memory is filled from disk after a start, in the background. recent: with what was written last, up to half of l1.max_memory. full: until memory is full.',
  },
  {
    section: 'l2',
    name: 'warmup_rate',
    field: 'warmupBytesPerS',
    type: 'size',
    default: '64MB',
    min: '1MB',
    max: '4GB',
    meaning: 'Bytes a second that warming up may read.',
  },
  {
    section: 'compression',
    name: 'enabled',
    field: 'enabled',
    type: 'boolean',
    default: true,
    meaning:
      'Whether values are compressed on disk, with LZ4. A value that would not shrink by a fifth is written as it is.',
  },
  {
    section: 'compression',
    name: 'min_size',
    field: 'valueBytesMin',
    type: 'size',
    default: '4KB',
    min: '64',
    max: '1GB',
    meaning: 'Values below this size are not compressed: it would cost more than writing them.',
  },
  {
    section: 'compression',
    name: 'max_size',
    field: 'valueBytesMax',
    type: 'size',
    default: '64KB',
    min: '64',
    max: '1GB',
    meaning: 'Values above this size are not compressed: others would wait for it.',
  },
  {
    section: 'performance',
    name: 'large_value_threshold',
    field: 'largeValueBytesMin',
    type: 'size',
    default: '512KB',
    min: '1KB',
    max: '1GB',
    zero: 'none is large',
    meaning:
      'Values from this size on live on disk: they leave memory as soon as they are written, and are not kept there when they are read, so that one of them does not push thousands of small ones out. Without a disk tier it has no effect.',
  },
  {
    section: 'logging',
    name: 'level',
    field: 'level',
    type: 'choice',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    options: ['--log-level', '-v'],
    meaning: 'The least level that is logged.',
  },
  {
    section: 'logging',
    name: 'file',
    field: 'file',
    type: 'string',
    default: '',
    unit: 'a path; empty: standard output',
    meaning: 'The file to append the log to.',
  },
  {
    section: 'logging',
    name: 'pretty',
    field: 'pretty',
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    meaning:
      'Lines for people instead of JSON. auto: when the log goes to standard output and that is a terminal.',
  },
] as const

/** The table again, seen as rows of one shape; this line is also what checks it. */
export const KEY_DEFINITIONS: readonly KeyDefinition[] = KEYS

type Row = (typeof KEYS)[number]

type ValueOf<R> = R extends { type: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : R extends { type: 'string' }
    ? string
    : R extends { type: 'string-list' }
      ? readonly string[]
      : R extends { type: 'boolean' }
        ? boolean
        : number

/**
 * The configuration that a server runs with, frozen all through: a record of the fields above for
 * each section. Sizes are bytes, durations milliseconds; `server.unixMode` is a number.
 */
export type Config = {
  readonly [S in SectionName]: {
    readonly [R in Extract<Row, { section: S }> as R['field']]: ValueOf<R>
  }
}

/** "server.bind", as messages and the documentation call a key. */
export function keyPath(definition: KeyDefinition): string {
  return `${definition.section}.${definition.name}`
}

/** The environment variable of a key: RAT_MEMCACHED_SERVER_BIND. */
export function envName(definition: KeyDefinition): string {
  return `${ENV_PREFIX}${definition.section}_${definition.name}`.toUpperCase()
}

/** Every variable that begins like this is ours; one that names no key is an error. */
export const ENV_PREFIX = 'RAT_MEMCACHED_'
