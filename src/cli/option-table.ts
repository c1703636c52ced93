/**
 * Every option of the command line, in the order of the help: our own, then memcached's. Each row
 * says what the option does to the draft that `options.ts` makes a `CommandLine` of.
 *
 * An option of memcached that means nothing here is accepted with one warning. One that would
 * weaken security or lose data if it were ignored is refused: better no server than one that
 * only seems to ask for a password.
 */

import type { Override } from '../config/load.ts'
import { nearest } from '../config/nearest.ts'
import { KEY_DEFINITIONS, keyPath } from '../config/schema.ts'
import { checkText, checkValue } from '../config/value.ts'
import { ServerError } from '../errors.ts'
import { EXTENDED_NAMES, extendedEffect } from './extended-options.ts'

export type Action = 'serve' | 'help' | 'version' | 'check-config' | 'print-config'

/** What the options have said so far. */
export interface OptionDraft {
  action: Action
  configFile: string | undefined
  verbosity: number
  readonly binds: string[]
  readonly listen: string[]
  port: string | undefined
  unixPath: string | undefined
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
    apply: sets('server.protocol'),
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
    help: 'idle_timeout=SECONDS closes connections that are silent for so long; the other names of memcached are accepted and change nothing',
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
    apply: warns('there are no statistics by prefix'),
  },
]

const REFUSED: readonly OptionRow[] = [
  refuses('-S, --enable-sasl', 'there is no authentication here'),
  refuses('-Y, --auth-file <file>', 'there is no authentication here'),
  refuses('-Z, --enable-ssl', 'there is no encryption here'),
  refuses(
    '-d, --daemon',
    'this server stays in the foreground; run it under a supervisor such as systemd',
  ),
  refuses('-F, --disable-flush-all', 'flush_all cannot be disabled yet'),
  refuses('-X, --disable-dumping', 'dumping cannot be disabled yet'),
  refuses('-W, --disable-watch', 'watching cannot be disabled yet'),
  refuses('-A, --enable-shutdown', 'the shutdown command is not supported yet'),
  refuses('-e, --memory-file <file>', 'items are kept over a restart by the disk tier: --data-dir'),
]

export const OPTION_GROUPS: readonly OptionGroup[] = [
  { heading: 'Options:', rows: OWN },
  { heading: "memcached's options, with memcached's meaning:", rows: MEMCACHED },
  { heading: "memcached's options that are accepted and change nothing:", rows: INERT },
  { heading: undefined, rows: REFUSED },
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
    // --version and --help are answered whatever else is asked for.
    if (draft.action !== 'help' && draft.action !== 'version') draft.action = action
  }
}

function warns(because: string): OptionRow['apply'] {
  return (draft, _, flag) => void draft.warnings.add(`option ${flag} has no effect: ${because}`)
}

function refuses(flags: string, because: string): OptionRow {
  const apply: OptionRow['apply'] = (_draft, _value, flag) => {
    throw usage(flag, because)
  }
  return { flags, help: '', apply }
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
  const effect = extendedEffect(name)
  if (effect === undefined) {
    const known = nearest(name, EXTENDED_NAMES)
    const hint = known === undefined ? '' : `; did you mean ${known}?`
    throw usage(flag, `unknown name '${name}'${hint}`)
  }
  if (effect.kind === 'refused') throw usage(flag, `${name}: ${effect.because}`)
  if (effect.kind === 'idle-timeout') {
    const seconds = count(rest.join('='), 0, `${flag} ${name}`)
    set(draft, 'server.idle_timeout', `${seconds}s`, `${flag} ${name}`)
  } else {
    draft.warnings.add(`option ${flag} ${name} has no effect`)
  }
}
