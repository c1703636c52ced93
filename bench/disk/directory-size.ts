// How large a directory is while others write to it: `du` once a second.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const EVERY_MS = 1000

export interface Sizes {
  /** What the files take on the disk, at most. */
  allocatedBytesMax: number
  /** Sum of the lengths of the files, at most. */
  lengthBytesMax: number
  samples: number
}

/** Looks until the function that it returns is called. */
export function watchSize(folder: string): () => Promise<Sizes> {
  const sizes: Sizes = { allocatedBytesMax: 0, lengthBytesMax: 0, samples: 0 }
  let looking = Promise.resolve()
  const look = async (): Promise<void> => {
    const allocated = await du(folder, '--block-size=1')
    const length = await du(folder, '--apparent-size', '--block-size=1')
    sizes.allocatedBytesMax = Math.max(sizes.allocatedBytesMax, allocated)
    sizes.lengthBytesMax = Math.max(sizes.lengthBytesMax, length)
    sizes.samples++
  }
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, EVERY_MS)
  return async () => {
    clearInterval(timer)
    await looking
    await look()
    return sizes
  }
}

/** `du` complains of files that go while it looks, and counts the rest. */
async function du(folder: string, ...options: string[]): Promise<number> {
  const { stdout } = await run('du', ['-s', ...options, folder]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  return Number.parseInt(stdout, 10) || 0
}
