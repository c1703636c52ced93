/**
 * `npm run test:diff`: the same random commands to this server and to a memcached, every reply compared.
 *
 *     npm run test:diff -- --seconds 1800 --seed 7 --memcached PATH --mode write-behind
 *
 * The memcached on the PATH is the reference unless another is named (or `MEMCACHED` in the
 * environment); it is 1.6.45 that this server stands in for. `--mode` takes the modes whose name
 * contains a text. Exits with 1 if a reply differed that no rule of known-differences.ts allows; what
 * led to it is printed as blocks of a transcript, as short as it could be made. The choices come from
 * the seed; when items travel between memory and disk does not.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MODES, describeConnections, runDifferential } from './run.ts'
import { versionOf, versionText } from './server-process.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    'round-seconds': { type: 'string', default: '15' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    memcached: { type: 'string', default: process.env['MEMCACHED'] ?? 'memcached' },
    mode: { type: 'string', default: '' },
    program: {
      type: 'string',
      default: fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url)),
    },
    max: { type: 'string', default: '3' },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const version = versionOf(values.memcached)
  const modes = MODES.filter(({ name }) => name.includes(values.mode))
  const seconds = Number(values.seconds)
  const seed = Number(values.seed)
  if (version === undefined) {
    console.error(`test:diff: ${values.memcached} is no memcached; --memcached PATH names one`)
    return 2
  }
  if (modes.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
    console.error(
      `test:diff: --seconds N --seed S --mode ${MODES.map(({ name }) => `"${name}"`).join('|')}`,
    )
    return 2
  }
  console.log(
    `differential test against memcached ${versionText(version)}: ${seconds} s, seed ${seed}; connections: ${describeConnections()}`,
  )
  const result = await runDifferential({
    reference: values.memcached,
    version,
    program: values.program,
    seconds,
    roundSeconds: Number(values['round-seconds']),
    seed,
    modes,
    differencesMax: Number(values.max),
    say: (text) => console.log(text),
  })
  const { rounds, commands, differences } = result
  console.log(
    `${differences === 0 ? 'passed' : `FAILED: ${differences} differences`}, ${rounds} rounds, ${commands} commands, seed ${seed}`,
  )
  return differences === 0 ? 0 : 1
}
