/** The keys about what the server tells. Rows of the table that `schema.ts` puts together. */

export const LOG_KEYS = [
  {
    section: 'logging',
    name: 'level',
    field: 'level',
    type: 'choice',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    options: ['--log-level', '-v'],
    live: true,
    meaning: 'The least level that is logged.',
  },
  {
    section: 'logging',
    name: 'file',
    field: 'file',
    type: 'string',
    default: '',
    unit: 'a path; empty: standard output',
    live: false,
    meaning: 'The file to append the log to.',
  },
  {
    section: 'logging',
    name: 'pretty',
    field: 'pretty',
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    live: false,
    meaning:
      'Lines for people instead of JSON. auto: when the log goes to standard output and that is a terminal.',
  },
] as const
