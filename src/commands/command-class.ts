/** Of which class a request is, for who measures commands: by what it does, whatever protocol spells it. */
import { OP, OPTION } from '../message/codes.ts'
import type { Op } from '../message/codes.ts'
import type { Request } from '../message/request.ts'
import { COMMAND_TIERS, latencySlot } from '../observe/command-latency.ts'
import type { CommandClass, CommandTier } from '../observe/command-latency.ts'

/** Ops that are not here are of the class `other`. */
const CLASS_OF: Partial<Record<Op, CommandClass>> = {
  [OP.GET]: 'get',
  [OP.META_GET]: 'get',
  [OP.SET]: 'set',
  [OP.ADD]: 'set',
  [OP.REPLACE]: 'set',
  [OP.APPEND]: 'set',
  [OP.PREPEND]: 'set',
  [OP.CAS]: 'set',
  [OP.DELETE]: 'delete',
  [OP.INCR]: 'arithmetic',
  [OP.DECR]: 'arithmetic',
  [OP.TOUCH]: 'touch',
}

/** memcached's words, and those of its meta commands. */
const WORDS: Partial<Record<Op, readonly [word: string, metaWord: string]>> = {
  [OP.GET]: ['get', 'mg'],
  [OP.META_GET]: ['mg', 'mg'],
  [OP.META_DEBUG]: ['me', 'me'],
  [OP.SET]: ['set', 'ms'],
  [OP.ADD]: ['add', 'ms'],
  [OP.REPLACE]: ['replace', 'ms'],
  [OP.APPEND]: ['append', 'ms'],
  [OP.PREPEND]: ['prepend', 'ms'],
  [OP.CAS]: ['cas', 'ms'],
  [OP.DELETE]: ['delete', 'md'],
  [OP.INCR]: ['incr', 'ma'],
  [OP.DECR]: ['decr', 'ma'],
  [OP.TOUCH]: ['touch', 'touch'],
}

const OPS = Object.keys(OP).length
const STATES = 3

/** What became of a request: an index into SLOTS, beside its op. */
export const MET = { IN_MEMORY: 0, ON_DISK: 1, NOTHING: 2 } as const

/**
 * The slot for each op and each of MET. What stores has a value and meets no miss; of other commands it
 * means nothing where an item would be.
 */
const SLOTS: Uint8Array = Uint8Array.from({ length: OPS * STATES }, (_, index) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ops are the integers from 0 on
  const command = CLASS_OF[Math.floor(index / STATES) as Op] ?? 'other'
  const tier: CommandTier = COMMAND_TIERS[index % STATES]!
  if (command === 'other' || (command === 'set' && tier === 'miss')) {
    return latencySlot(command, 'memory')
  }
  return latencySlot(command, tier)
})

/** Where a request that has run is counted; `hasWaited` for one that waited for the disk. */
export function slotOfRun(request: Request, hasWaited: boolean): number {
  const met = request.isHit ? (hasWaited ? MET.ON_DISK : MET.IN_MEMORY) : MET.NOTHING
  return SLOTS[request.op * STATES + met]!
}

/** The same for a storage command that has its value. */
export function slotOfStored(request: Request, hasWaited: boolean): number {
  return SLOTS[request.op * STATES + (hasWaited ? MET.ON_DISK : MET.IN_MEMORY)]!
}

/** Whether a request stores a value. */
export function isStorage(op: Op): boolean {
  return CLASS_OF[op] === 'set'
}

/** What a client writes for a request. */
export function wordOf({ op, options }: Request): string {
  const words = WORDS[op]
  if (words !== undefined) return words[(options & OPTION.META_FORM) === 0 ? 0 : 1]
  const name = Object.entries(OP).find(([, value]) => value === op)?.[0] ?? 'unknown'
  return name.toLowerCase()
}
