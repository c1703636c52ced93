/** A disk that is slow or refuses, by way of what stands between the disk tier and LevelDB. */
import type { TestContext } from 'node:test'
import { Generation } from '../../src/store/l2/generation.ts'

type Write = Generation['write']

export interface Trouble {
  /** What becomes of a batch: it is written, refused, or written when `release` is called. */
  mode: 'none' | 'refuse' | 'hold'
  /** Batches that were handed over. */
  writes: number
  /** Batches that are held. */
  held: number
  /** Lets the held batches through, and all that follow. */
  release(): void
}

/** Puts the writing of all generations into the hands of a test. */
export function troubleWrites(t: TestContext): Trouble {
  let waiting: (() => void)[] = []
  const trouble: Trouble = {
    mode: 'none',
    writes: 0,
    held: 0,
    release() {
      trouble.mode = 'none'
      for (const proceed of waiting) proceed()
      waiting = []
      trouble.held = 0
    },
  }
  const write: Write = Reflect.get(Generation.prototype, 'write')
  t.mock.method(
    Generation.prototype,
    'write',
    async function (this: Generation, ...args: Parameters<Write>): Promise<void> {
      trouble.writes++
      if (trouble.mode === 'refuse') throw refusal()
      if (trouble.mode === 'hold') {
        trouble.held++
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
        })
      }
      return write.apply(this, args)
    },
  )
  return trouble
}

/** What the system says of a full disk. */
export function refusal(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
}

type Read = Generation['read']

export interface HeldReads {
  /** Calls that were made, and packs that they asked for. */
  calls: number
  packs: number
  /** Lets what is held through, and all that follows. */
  release(): void
}

/** Holds everything that is read from generations; nothing can be read at once meanwhile. */
export function holdReads(t: TestContext): HeldReads {
  let waiting: (() => void)[] = []
  let isHolding = true
  const held: HeldReads = {
    calls: 0,
    packs: 0,
    release() {
      isHolding = false
      for (const proceed of waiting) proceed()
      waiting = []
    },
  }
  const readNow: Generation['readNow'] = Reflect.get(Generation.prototype, 'readNow')
  t.mock.method(Generation.prototype, 'readNow', function (this: Generation, pack: number) {
    return isHolding ? undefined : readNow.call(this, pack)
  })
  const read: Read = Reflect.get(Generation.prototype, 'read')
  t.mock.method(
    Generation.prototype,
    'read',
    async function (this: Generation, ...args: Parameters<Read>): ReturnType<Read> {
      held.calls++
      held.packs += args[0].length
      if (isHolding) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
        })
      }
      return read.apply(this, args)
    },
  )
  return held
}
