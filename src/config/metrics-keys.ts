/** The keys about measuring and the side door. Rows of the table that `schema.ts` puts together. */

export const METRICS_KEYS = [
  {
    section: 'metrics',
    name: 'bind',
    field: 'bind',
    type: 'string',
    default: '127.0.0.1:9150',
    unit: 'HOST:PORT or [IPV6]:PORT; empty: off',
    live: false,
    meaning:
      'The address of the side door, which speaks HTTP: a page for browsers at /, /metrics, /healthz, /readyz, /stats.json. Where the default is taken, as by a second server of this machine, the server runs without it and says so; any other address that cannot be had is an error.',
  },
  {
    section: 'metrics',
    name: 'token',
    field: 'token',
    type: 'string',
    default: '',
    unit: 'a text without blanks; empty: none',
    secret: true,
    live: false,
    meaning:
      'Who asks at the side door has to bring this as a Bearer token, but for /healthz and /readyz. Needed where metrics.bind is not a loopback address. The page at / asks for it.',
  },
  {
    section: 'metrics',
    name: 'allow_values',
    field: 'valuesAllowed',
    type: 'boolean',
    default: false,
    live: true,
    meaning: 'Whether the side door shows values of items, and not only what is known about them.',
  },
  {
    section: 'metrics',
    name: 'degraded_limit',
    field: 'degradedLimitMs',
    type: 'duration',
    default: '1m',
    min: '1s',
    max: '7d',
    zero: 'never',
    live: true,
    meaning:
      'For how long the disk tier may be in trouble before /readyz says that the server is not ready. It serves from memory all the time.',
  },
  {
    section: 'metrics',
    name: 'latency',
    field: 'latency',
    type: 'boolean',
    default: true,
    live: false,
    meaning:
      'Whether it is measured how long commands take, by class and tier: /metrics, /stats.json, stats latency. The slow log needs it.',
  },
  {
    section: 'metrics',
    name: 'slow_log_threshold',
    field: 'slowThresholdMs',
    type: 'duration',
    default: '10ms',
    min: '1ms',
    max: '1h',
    zero: 'no slow log',
    live: false,
    meaning:
      'Commands that take as long, from the arrival of their bytes to the write of the reply, are kept in the slow log: /stats.json, stats slow.',
  },
  {
    section: 'metrics',
    name: 'slow_log_entries',
    field: 'slowEntriesMax',
    type: 'integer',
    default: 128,
    unit: 'commands',
    min: 1,
    max: 10_000,
    live: false,
    meaning: 'How many slow commands are kept, the latest.',
  },
] as const
