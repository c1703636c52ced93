/**
 * Makes a failing run small: ever smaller parts of it are left out, and what still fails without them
 * is kept. (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.)
 */
import type { Step } from './steps.ts'

/** Which of these steps, played to fresh servers, fails; undefined if none does. */
export type Fails = (steps: readonly Step[]) => Promise<number | undefined>

/** `mayGoOn` ends the search early. */
export async function minimise(
  steps: readonly Step[],
  fails: Fails,
  mayGoOn: () => boolean,
): Promise<readonly Step[]> {
  let best = await leaveOut(steps, fails, mayGoOn)
  // What is left is taken apart: one burst, then one command, a step.
  best = await tryInstead(best, flatten(best), fails)
  best = await leaveOut(best, fails, mayGoOn)
  best = await tryInstead(best, best.map(uncut), fails)
  best = await tryInstead(best, best.flatMap(singly), fails)
  return leaveOut(best, fails, mayGoOn)
}

async function tryInstead(
  best: readonly Step[],
  other: readonly Step[],
  fails: Fails,
): Promise<readonly Step[]> {
  const at = await fails(other)
  return at === undefined ? best : other.slice(0, at + 1)
}

async function leaveOut(
  steps: readonly Step[],
  fails: Fails,
  mayGoOn: () => boolean,
): Promise<readonly Step[]> {
  let best = steps
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    // From the end: what made the difference is near it.
    for (let end = best.length; end > 0 && mayGoOn(); end -= size) {
      const shorter = [...best.slice(0, Math.max(0, end - size)), ...best.slice(end)]
      const at = shorter.length === 0 ? undefined : await fails(shorter)
      if (at !== undefined) best = shorter.slice(0, at + 1)
    }
  }
  return best
}

function flatten(steps: readonly Step[]): Step[] {
  return steps.flatMap(({ bursts, pauseMs }) =>
    bursts.map((burst, at) => ({
      bursts: [burst],
      pauseMs: at === bursts.length - 1 ? pauseMs : 0,
    })),
  )
}

function uncut({ bursts, pauseMs }: Step): Step {
  return { bursts: bursts.map((burst) => ({ ...burst, cuts: [] })), pauseMs }
}

function singly({ bursts, pauseMs }: Step): Step[] {
  return bursts.flatMap((burst) =>
    burst.commands.map((one, at) => {
      const isLast = at === burst.commands.length - 1
      return { bursts: [{ ...burst, commands: [one] }], pauseMs: isLast ? pauseMs : 0 }
    }),
  )
}
