// What a process has cost so far, by thread and in bytes, as Linux tells it. Times come from `schedstat`, which counts
// nanoseconds: the main thread of a server is the one whose id is that of the process.

import { readdirSync, readFileSync } from 'node:fs'

export interface Cost {
  /** Processor time of all threads. */
  readonly processUs: number
  readonly mainUs: number
  /** Bytes given to `write`, to sockets and to files. */
  readonly givenBytes: number
  /** Bytes of files that were, or are still to be, brought to a device. */
  readonly storedBytes: number
}

/** Throws where there is no such process, or no `/proc`. */
export function costOf(pid: number): Cost {
  const folder = `/proc/${pid}`
  let processUs = 0
  let mainUs = 0
  for (const thread of readdirSync(`${folder}/task`)) {
    const us = threadUs(`${folder}/task/${thread}/schedstat`)
    processUs += us
    if (thread === String(pid)) mainUs = us
  }
  const io = readFileSync(`${folder}/io`, 'latin1')
  return {
    processUs,
    mainUs,
    givenBytes: Number(/^wchar: (\d+)/m.exec(io)?.[1]),
    storedBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]),
  }
}

export function costBetween(before: Cost, after: Cost): Cost {
  return {
    processUs: after.processUs - before.processUs,
    mainUs: after.mainUs - before.mainUs,
    givenBytes: after.givenBytes - before.givenBytes,
    storedBytes: after.storedBytes - before.storedBytes,
  }
}

/** 0 for a thread that has ended since it was listed. */
function threadUs(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ', 1)[0]) / 1000
  } catch {
    return 0
  }
}
