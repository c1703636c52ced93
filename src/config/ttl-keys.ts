/** The keys about expiry, rules by prefix among them. Rows of the tables that `schema.ts` puts together. */

export const TTL_KEYS = [
  {
    section: 'ttl',
    name: 'default',
    field: 'defaultMs',
    type: 'duration',
    default: '0s',
    min: '1s',
    max: '3650d',
    zero: 'never',
    live: true,
    meaning:
      'When an item is over to which a client gives no expiry (exptime 0). What was stored before keeps what it has, here and below.',
  },
  {
    section: 'ttl',
    name: 'max',
    field: 'maxMs',
    type: 'duration',
    default: '0s',
    min: '1s',
    max: '3650d',
    zero: 'no limit',
    live: true,
    meaning:
      'The longest life of an item, counted from the command that stores or touches it. A client that asks for more, or for an instant farther away, or for none, is given this.',
  },
  {
    section: 'ttl',
    name: 'sweep_interval',
    field: 'sweepIntervalMs',
    type: 'duration',
    default: '1s',
    min: '100ms',
    max: '1d',
    zero: 'off: what is over leaves when it is asked for, or to make room',
    live: true,
    meaning:
      'How often expired and flushed items are looked for, in memory and on disk. It is done in slices of half a millisecond, and takes at most a twentieth of the time unless it finds much.',
  },
] as const

export const TTL_TABLES = [
  {
    section: 'ttl',
    name: 'rules',
    field: 'rules',
    entriesMax: 1000,
    live: true,
    meaning:
      'What holds for keys that begin with a prefix, instead of ttl.default and ttl.max. The longest prefix that fits counts, and only that one; what its rule leaves out is as for all keys.',
    columns: [
      {
        name: 'prefix',
        field: 'prefix',
        type: 'string',
        unit: 'the beginning of a key, 1 to 250 bytes, different in each rule',
        example: 'sess:',
        isUnique: true,
        meaning: 'What the keys begin with.',
      },
      {
        name: 'default',
        field: 'defaultMs',
        type: 'duration',
        min: '1s',
        max: '3650d',
        zero: 'never',
        example: '30m',
        isOptional: true,
        meaning: 'As ttl.default.',
      },
      {
        name: 'max',
        field: 'maxMs',
        type: 'duration',
        min: '1s',
        max: '3650d',
        zero: 'no limit',
        example: '24h',
        isOptional: true,
        meaning: 'As ttl.max.',
      },
    ],
  },
] as const
