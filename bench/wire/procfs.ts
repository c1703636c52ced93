// What Linux tells about a process. Elsewhere the answers are null, and the report has no CPU column.

import { readFileSync } from 'node:fs'

/** The kernel counts CPU time for user space in ticks of USER_HZ, 100 a second on every architecture Node runs on. */
const TICK_US = 10_000
// Fields of /proc/PID/stat, counted from the one behind the name, which ends with the last parenthesis.
const UTIME_FIELD = 11
const STIME_FIELD = 12

/** User and system time of all threads of a process since its start. */
export function cpuUs(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) * TICK_US
}

/** Resident memory of a process. */
export function residentBytes(pid: number): number | null {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kib === undefined ? null : Number(kib) * 1024
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
