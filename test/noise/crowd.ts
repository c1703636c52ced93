/**
 * The clients that send rubbish, in a process of their own: what they take to make their commands is not
 * to be in the times of the client that is timed.
 */
import { NoisyClient } from './noise.ts'
import type { NoiseCounts } from './noise.ts'

/** How it is started: the arguments of the process. It answers any message with its counts, and ends. */
const [seed = 0, clients = 0, port = 0] = process.argv.slice(2).map(Number)

const counts: NoiseCounts = { connections: 0, bytesSent: 0, bytesReceived: 0 }
const crowd = Array.from(
  { length: clients },
  (_, index) => new NoisyClient(seed * 1000 + index, port, counts),
)
for (const client of crowd) client.start()
process.once('message', () => {
  for (const client of crowd) client.stop()
  process.send?.(counts, () => process.disconnect())
})
