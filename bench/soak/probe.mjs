// Loaded into a server with `node --import`: tells its parent, when asked, how much JavaScript memory it uses and the
// longest time for which its event loop did not turn since it was asked before; and the same in CPU time of the process,
// in which what others on the machine took is not, though what its own threads do beside (compiling, collecting) is.

import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The finest step of the histogram; its own timer costs less than 0.1 % of a core. */
const RESOLUTION_MS = 1

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()

let turnMs = 0
let ranMs = ranForMs()
setInterval(() => {
  const nowMs = ranForMs()
  turnMs = Math.max(turnMs, nowMs - ranMs)
  ranMs = nowMs
}, RESOLUTION_MS).unref()

process.on('message', () => {
  const longestTurnMs = turnMs
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  // The histogram counts the step itself as delay.
  const stallMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS)
  process.send?.({ heapUsedBytes: heapUsed, residentBytes: rss, stallMs, turnMs: longestTurnMs })
  // The collection above is the probe's, not the server's: it must not count.
  setImmediate(() => {
    setImmediate(() => {
      delay.reset()
      turnMs = 0
      ranMs = ranForMs()
    })
  })
})
// The channel must not keep a server alive that is told to stop.
process.channel?.unref()

function ranForMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
