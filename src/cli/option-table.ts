/**
 * Every option of the command line, in the order of the help: our own, then memcached's. Each row
 * says what the option does to the draft that `options.ts` makes a `CommandLine` of.
 *
 * An option of memcached that means nothing here is accepted with one warning. One that would leave
 * something open if it were ignored is not: better no server than one that only seems to be closed.
 */

import type { Override } from '../config/load.ts'
import { nearest } from '../config/nearest.ts'
import { KEY_DEFINITIONS, keyPath } from '../config/schema.ts'
import { checkText, checkValue } from '../config/value.ts'
import { ServerError } from '../errors.ts'
import { EXTENDED_NAMES, diskPath, extendedEffect } from './extended-options.ts'

export type Action = 'serve' | 'help' | 'version' | 'license' | 'check-config' | 'print-config'

/** What the options have said so far. */
export interface OptionDraft {
  action: Action
  configFile: string | undefined
  verbosity: number
  readonly binds: string[]
  readonly listen: string[]
  port: string | undefined
  unixPath: string | undefined
  /** -S was given, and -B with something. */
  sasl: boolean
  protocol: string | undefined
  daemon: boolean
  /** Clients may change the clock. */
  debug: boolean
  /** A server for a test: see ephemeral.ts. */
  ephemeral: boolean
  readonly overrides: Override[]
  readonly warnings: Set<string>
}

/** One option. `flag` is how messages call it, `value` is empty for an option without one. */
export interface OptionRow {
  readonly flags: string
  readonly help: string
  readonly apply: (draft: OptionDraft, value: string, flag: string) => void
}

/** Rows under one heading of the help; rows without a heading are understood, but not shown. */
export interface OptionGroup {
  readonly heading: string | undefined
  readonly rows: readonly OptionRow[]
}

const PORT_MAX = 65_535

/** memcached's `-p -1`: any free port. */
export const ANY_PORT = '-1'

const OWN: readonly OptionRow[] = [
  {
    flags: '--bind <address>',
    help: 'HOST:PORT, [IPV6]:PORT, :PORT (all interfaces) or unix:/PATH; may be repeated; takes the place of -l, -p and -s (default: 127.0.0.1:11211)',
    apply: (draft, value) => void draft.binds.push(...value.split(',')),
  },
  {
    flags: '--config <file>',
    help: 'TOML file to read; the environment overrules it, and these options overrule both',
    apply: (draft, value) => void (draft.configFile = value),
  },
  {
    flags: '--max-entries <count>',
    help: 'items to keep at most; 0 for no limit',
    apply: sets('l1.max_entries'),
  },
  {
    flags: '--eviction <name>',
    help: 'what goes when there is no room: lru',
    apply: sets('l1.eviction'),
  },
  {
    flags: '--data-dir <path>',
    help: 'directory of the disk tier (default: ./rat-memcached-data)',
    apply: sets('l2.data_dir'),
  },
  {
    flags: '--no-l2',
    help: 'no disk tier: memory only',
    apply: (draft, _, flag) => set(draft, 'l2.enabled', 'false', flag),
  },
  {
    flags: '--ephemeral',
    help: 'a server for a test: a free port of 127.0.0.1, memory only, its address on standard output; it ends with the process that started it',
    apply: (draft, _, flag) => {
      draft.ephemeral = true
      set(draft, 'l2.enabled', 'false', flag)
      set(draft, 'logging.level', 'silent', flag)
    },
  },
  {
    flags: '--max-disk-size <size>',
    help: 'bytes that the disk tier may take, such as 10g (default: 1GB)',
    apply: sets('l2.max_disk_size'),
  },
  {
    flags: '--write-policy <name>',
    help: 'write-behind, write-through or on-evict (default: write-behind)',
    apply: sets('l2.write_policy'),
  },
  {
    flags: '--promotion <name>',
    help: 'what is read from disk stays in memory: always, second-hit or never (default: always)',
    apply: sets('l2.promotion'),
  },
  {
    flags: '--warmup <name>',
    help: 'fill memory from disk after a start: none, recent or full (default: none)',
    apply: sets('l2.warmup'),
  },
  {
    flags: '--log-level <level>',
    help: 'trace, debug, info, warn, error, fatal or silent (default: info)',
    apply: sets('logging.level'),
  },
  {
    flags: '--check-config',
    help: 'report whether the configuration is good, and exit',
    apply: acts('check-config'),
  },
  {
    flags: '--print-config',
    help: 'print the configuration in effect as TOML, and exit',
    apply: acts('print-config'),
  },
  { flags: '-i, --license', help: 'print the licence, and exit', apply: acts('license') },
  { flags: '-V, --version', help: 'print the version, and exit', apply: acts('version') },
  { flags: '-h, --help', help: 'print this help, and exit', apply: acts('help') },
]

const MEMCACHED: readonly OptionRow[] = [
  {
    flags: '-p, --port <port>',
    help: 'TCP port for the addresses of -l that have none; 0 for no TCP, -1 for any free port (default: 11211)',
    apply: (draft, value, flag) => void (draft.port = portOf(value, flag)),
  },
  {
    flags: '-l, --listen <addresses>',
    help: 'addresses to listen on, separated by commas, each with or without :PORT; may be repeated (default: 127.0.0.1)',
    apply: (draft, value) => void draft.listen.push(...value.split(',')),
  },
  {
    flags: '-s, --unix-socket <path>',
    help: 'listen on this unix-socket, and not on TCP',
    apply: (draft, value, flag) => void (draft.unixPath = nonEmpty(value, flag)),
  },
  {
    flags: '-a, --unix-mask <mode>',
    help: 'permissions of the socket of -s, octal (default: 700)',
    apply: sets('server.unix_mode'),
  },
  {
    flags: '-m, --memory-limit <megabytes>',
    help: 'memory for items (default: 64)',
    apply: (draft, value, flag) => set(draft, 'l1.max_memory', `${count(value, 1, flag)}MB`, flag),
  },
  {
    flags: '-c, --conn-limit <count>',
    help: 'connections at a time (default: 1024)',
    apply: sets('server.max_connections'),
  },
  {
    flags: '-I, --max-item-size <size>',
    help: 'largest item, such as 512k or 2m (default: 1m; at least 1k, at most 1g)',
    apply: sets('server.max_item_size'),
  },
  {
    flags: '-M, --disable-evictions',
    help: 'answer with an error when there is no room, instead of evicting items',
    apply: (draft, _, flag) => set(draft, 'l1.evictions', 'false', flag),
  },
  {
    flags: '-v, --verbose',
    help: 'log at level debug; -vv and more: trace; --log-level overrules it',
    apply: (draft) => void draft.verbosity++,
  },
  {
    flags: '-R, --max-reqs-per-event <count>',
    help: 'commands of one connection before others get their turn (default: 256)',
    apply: sets('server.max_commands_per_turn'),
  },
  {
    flags: '-b, --listen-backlog <count>',
    help: 'connections that may wait to be accepted (default: 1024)',
    apply: sets('server.backlog'),
  },
  {
    flags: '-P, --pidfile <file>',
    help: 'write the process id to this file',
    apply: sets('server.pid_file'),
  },
  {
    flags: '-u, --user <name>',
    help: 'user to change to when started as root',
    apply: sets('server.user'),
  },
  {
    flags: '-B, --protocol <name>',
    help: 'what clients speak: auto, ascii or binary; auto tells by the first byte of a connection (default: auto)',
    apply: (draft, value, flag) => {
      draft.protocol = value
      set(draft, 'server.protocol', value, flag)
    },
  },
  {
    flags: '-d, --daemon',
    help: 'run in the background; the command returns when the server listens',
    apply: (draft) => void (draft.daemon = true),
  },
  {
    flags: '-Y, --auth-file <file>',
    help: 'clients have to log in; the file has NAME:PASSWORD on each line, and is read again on SIGHUP',
    apply: (draft, value, flag) => set(draft, 'auth.file', nonEmpty(value, flag), flag),
  },
  {
    flags: '-S, --enable-sasl',
    help: 'clients have to log in by sasl, in the binary protocol; the users are those of -Y, or of the file that MEMCACHED_SASL_PWDB names',
    apply: (draft) => void (draft.sasl = true),
  },
  {
    flags: '-Z, --enable-ssl',
    help: 'encrypt TCP; -l notls:ADDRESS is an exception',
    apply: (draft, _, flag) => set(draft, 'tls.enabled', 'true', flag),
  },
  {
    flags: '-F, --disable-flush-all',
    help: 'refuse the command flush_all',
    apply: (draft, _, flag) => set(draft, 'commands.flush_all', 'false', flag),
  },
  {
    flags: '-X, --disable-dumping',
    help: 'refuse commands that list keys',
    apply: (draft, _, flag) => set(draft, 'commands.dump', 'false', flag),
  },
  {
    flags: '-W, --disable-watch',
    help: 'refuse the command watch',
    apply: (draft, _, flag) => set(draft, 'commands.watch', 'false', flag),
  },
  {
    flags: '-A, --enable-shutdown',
    help: 'allow the command shutdown',
    apply: (draft, _, flag) => set(draft, 'commands.shutdown', 'true', flag),
  },
  {
    flags: '-U, --udp-port <port>',
    help: 'only 0: there is no UDP',
    apply: (_, value, flag) => {
      if (value !== '0') throw usage(flag, `${value}: there is no UDP here; only -U 0 is possible`)
    },
  },
  {
    flags: '-o, --extended <name=value,...>',
    help: 'idle_timeout=SECONDS closes connections that are silent for so long; no_maxconns_fast lets clients wait when there are too many; ssl_chain_cert, ssl_key, ssl_ca_cert=FILE, ssl_verify_mode=0 to 3, ssl_min_version=0 to 3, ssl_ciphers=LIST, ssl_session_cache: for -Z; the other names of memcached are accepted and change nothing',
    apply: (draft, value, flag) => {
      for (const entry of value.split(',')) applyExtended(draft, entry, flag)
    },
  },
]

const INERT: readonly OptionRow[] = [
  {
    flags: '-t, --threads <count>',
    help: 'threads; one thread serves all connections',
    apply: (draft, value, flag) => {
      if (count(value, 1, flag) > 1) {
        draft.warnings.add(
          `option ${flag} ${value} has no effect: one thread serves all connections`,
        )
      }
    },
  },
  {
    flags: '-k, --lock-memory',
    help: 'keep memory from being swapped',
    apply: warns('memory is not locked'),
  },
  {
    flags: '-r, --enable-coredumps',
    help: 'raise the core file limit',
    apply: warns('the core file limit is left as it is'),
  },
  {
    flags: '-L, --enable-largepages',
    help: 'large memory pages',
    apply: warns('the runtime chooses its pages'),
  },
  { flags: '-C, --disable-cas', help: 'no cas tokens', apply: warns('every item has a cas token') },
  {
    flags: '-f, --slab-growth-factor <factor>',
    help: 'growth of size classes',
    apply: (draft, value, flag) => {
      if (!(Number(value) > 1)) throw usage(flag, `${value} is not a number above 1`)
      warns('size classes are fixed')(draft, value, flag)
    },
  },
  {
    flags: '-n, --slab-min-size <bytes>',
    help: 'least size class',
    apply: (draft, value, flag) => {
      count(value, 1, flag)
      warns('size classes are fixed')(draft, value, flag)
    },
  },
  {
    flags: '-D, --delimiter <char>',
    help: 'delimiter of prefixes in stats',
    apply: (draft, value, flag) => {
      if (value.length !== 1) throw usage(flag, `${value} is not one character`)
      set(draft, 'commands.prefix_delimiter', value, flag)
      set(draft, 'commands.detail', 'true', flag)
    },
  },
  {
    flags: '-e, --memory-file <file>',
    help: 'file for the memory of items',
    apply: warns('items are kept over a restart by the disk tier: --data-dir'),
  },
  {
    flags: '-N, --napi_ids <count>',
    help: 'queues of the network device',
    apply: warns('one thread serves all connections'),
  },
]

/** For tests of clients. */
const HIDDEN: readonly OptionRow[] = [
  {
    flags: '--debug',
    help: 'clients may change the clock of the server: debugtime',
    apply: (draft) => void (draft.debug = true),
  },
]

export const OPTION_GROUPS: readonly OptionGroup[] = [
  { heading: 'Options:', rows: OWN },
  { heading: "memcached's options, with memcached's meaning:", rows: MEMCACHED },
  { heading: "memcached's options that are accepted and change nothing:", rows: INERT },
  { heading: undefined, rows: HIDDEN },
]

/** Sets a configuration key, if the value is one that the key can have. */
export function set(
  draft: OptionDraft,
  key: string,
  value: string | readonly string[],
  flag: string,
): void {
  const definition = KEY_DEFINITIONS.find((row) => keyPath(row) === key)
  if (definition === undefined) throw new Error(`option ${flag} sets an unknown key: ${key}`)
  const checked =
    typeof value === 'string' ? checkText(definition, value) : checkValue(definition, value)
  if (!checked.ok) throw usage(flag, checked.problem)
  draft.overrides.push({ key, value, option: flag })
}

/** A wrong command line; the message names the option. */
export function usage(flag: string, problem: string): ServerError {
  return new ServerError('USAGE', `option ${flag}: ${problem}`)
}

function sets(key: string): OptionRow['apply'] {
  return (draft, value, flag) => set(draft, key, value, flag)
}

function acts(action: Action): OptionRow['apply'] {
  return (draft) => {
    // These are answered whatever else is asked for.
    if (!isShown(draft.action)) draft.action = action
  }
}

/** Whether an action only prints something that needs no configuration. */
export function isShown(action: Action): boolean {
  return action === 'help' || action === 'version' || action === 'license'
}

function warns(because: string): OptionRow['apply'] {
  return (draft, _, flag) => void draft.warnings.add(`option ${flag} has no effect: ${because}`)
}

function count(value: string, min: number, flag: string): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN
  if (!(number >= min && Number.isSafeInteger(number))) {
    throw usage(flag, `'${value}' is not a whole number of at least ${min}`)
  }
  return number
}

function portOf(value: string, flag: string): string {
  if (value !== ANY_PORT && count(value, 0, flag) > PORT_MAX) {
    throw usage(flag, `${value} is above ${PORT_MAX}`)
  }
  return value === ANY_PORT ? value : String(Number(value))
}

function nonEmpty(value: string, flag: string): string {
  if (value === '') throw usage(flag, 'the path is empty')
  return value
}

/** One entry of -o: NAME or NAME=VALUE. */
function applyExtended(draft: OptionDraft, entry: string, flag: string): void {
  const [name = '', ...rest] = entry.split('=')
  const given = rest.join('=')
  const effect = extendedEffect(name, given)
  const place = `${flag} ${name}`
  if (effect === undefined) {
    const known = nearest(name, EXTENDED_NAMES)
    const hint = known === undefined ? '' : `; did you mean ${known}?`
    throw usage(flag, `unknown name '${name}'${hint}`)
  }
  switch (effect.kind) {
    case 'refused':
      throw usage(flag, `${name}: ${effect.because}`)
    case 'inert':
      draft.warnings.add(`option ${place} has no effect`)
      break
    case 'disk':
      applyDiskPath(draft, given, place)
      break
    default: {
      const value = effect.value(given)
      if (value === undefined) throw usage(place, `'${given}' is not a value of it`)
      set(draft, effect.key, value, place)
    }
  }
}

/** memcached's file becomes the directory of the disk tier. */
function applyDiskPath(draft: OptionDraft, given: string, place: string): void {
  const disk = diskPath(given)
  if (disk === undefined) throw usage(place, `'${given}' is not PATH:SIZE, such as /data/cache:10g`)
  if (draft.overrides.some(({ option }) => option === place)) {
    draft.warnings.add(`option ${place}=${given} has no effect: the disk tier has one directory`)
    return
  }
  set(draft, 'l2.enabled', 'true', place)
  set(draft, 'l2.data_dir', disk.path, place)
  set(draft, 'l2.max_disk_size', disk.size, place)
}
