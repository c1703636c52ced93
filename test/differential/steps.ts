/**
 * What a differential run is made of. A run is a list of steps; a step is one burst, or several at the
 * same time on connections of their own; a burst is what is sent at once, some commands cut anywhere.
 * Everything in it is text or a number, so that it can be taken apart and played again.
 */

/** The cas number that the server at hand has given to a key, the latest or an older one. */
export interface CasOf {
  readonly key: string
  readonly age: number
  /** In digits, or in eight bytes. */
  readonly form: 'digits' | 'bytes'
}

/** One character a byte. */
export type Part = string | CasOf

export interface Command {
  readonly parts: readonly Part[]
}

export interface Burst {
  readonly connection: number
  readonly commands: readonly Command[]
  /** Where the bytes are cut, as shares of their length, ascending. */
  readonly cuts: readonly number[]
}

export interface Step {
  readonly bursts: readonly Burst[]
  /** Time that goes by after it. */
  readonly pauseMs: number
}

export type Protocol = 'text' | 'binary'

/** Protocols of the connections of a run, by their number. */
export const CONNECTIONS: readonly Protocol[] = ['text', 'text', 'binary', 'text', 'binary']

/** What stands for a cas number that no reply has shown yet. */
export const NO_CAS = 999_999_999n

export function command(...parts: readonly Part[]): Command {
  return { parts }
}

/** The bytes of a command, one character each. */
export function commandText(
  { parts }: Command,
  casOf: (key: string, age: number) => bigint | undefined,
): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part
      const cas = casOf(part.key, part.age) ?? NO_CAS
      if (part.form === 'digits') return String(cas)
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE(cas)
      return bytes.toString('latin1')
    })
    .join('')
}

/** How many commands there are. */
export function commandCount(steps: readonly Step[]): number {
  return steps.reduce(
    (sum, { bursts }) => sum + bursts.reduce((all, { commands }) => all + commands.length, 0),
    0,
  )
}
