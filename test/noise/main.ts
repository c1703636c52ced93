/**
 * `npm run test:noise`: clients that send random bytes and damaged commands, for a while.
 *
 *     npm run test:noise -- --seconds 600 --seed 7
 *
 * Exits with 1 if the server says or does anything that it should not: a line at level `error`, an end,
 * a wrong reply to a client that behaves, memory that grows when it should not any more, or a p99 of that
 * client that is far from what it is without the others. They share the machine with it: on two cores a
 * part of the difference is theirs.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { problemsOf } from './problems.ts'
import { runNoise } from './run.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    program: {
      type: 'string',
      default: fileURLToPath(new URL('../../dist/bin/rat-memcached.js', import.meta.url)),
    },
  },
})

console.log(`noise: ${values.seconds} s, ${values.clients} clients, seed ${values.seed}`)
const result = await runNoise({
  program: values.program,
  args: ['-m', '32', '--max-disk-size', '256MB'],
  seed: Number(values.seed),
  clients: Number(values.clients),
  quietMs: 10_000,
  noiseMs: Number(values.seconds) * 1000,
  say: (text) => console.log(text),
})
const { connections, bytesSent, bytesReceived, quietP99Ms, noisyP99Ms, laterMb, lastMb } = result
console.log(
  `${connections} connections, ${Math.round(bytesSent / 1e6)} MB sent, ${Math.round(bytesReceived / 1e6)} MB received; ` +
    `p99 ${quietP99Ms.toFixed(2)} ms alone, ${noisyP99Ms.toFixed(2)} ms with them, ${(noisyP99Ms / quietP99Ms).toFixed(1)} times as much; ` +
    `memory ${laterMb.toFixed(0)} MB in the third quarter, ${lastMb.toFixed(0)} MB in the last`,
)
const problems = problemsOf(result)
for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? 'passed' : `FAILED, seed ${values.seed}`)
process.exitCode = problems.length === 0 ? 0 : 1
