/** Unit tests of making a failing run small. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { minimise } from '../../differential/minimise.ts'
import { command, commandText } from '../../differential/steps.ts'
import type { Step } from '../../differential/steps.ts'

/** One burst of commands, cut somewhere. */
function step(...texts: readonly string[]): Step {
  return {
    bursts: [{ connection: 0, commands: texts.map((text) => command(text)), cuts: [0.5] }],
    pauseMs: 0,
  }
}

function names(steps: readonly Step[]): string[] {
  return steps.flatMap(({ bursts }) =>
    bursts.flatMap(({ commands }) => commands.map((one) => commandText(one, () => undefined))),
  )
}

/** Fails at the step in which the last of these commands comes, if the others came before. */
function failsAfter(...needed: readonly string[]) {
  return (steps: readonly Step[]): Promise<number | undefined> => {
    let met = 0
    for (const [at, one] of steps.entries()) {
      for (const name of names([one])) if (name === needed[met]) met++
      if (met === needed.length) return Promise.resolve(at)
    }
    return Promise.resolve(undefined)
  }
}

const STEPS = Array.from({ length: 100 }, (_, i) => step(`a${i}`, `b${i}`, `c${i}`))

describe('a failing run', () => {
  it('is left with the commands that it needs, each alone and uncut', async () => {
    const least = await minimise(STEPS, failsAfter('b3', 'a50', 'c50', 'a97'), () => true)
    assert.deepEqual(names(least), ['b3', 'a50', 'c50', 'a97'])
    assert.ok(least.every(({ bursts }) => bursts.every(({ cuts }) => cuts.length === 0)))
  })

  it('keeps commands together that have to be in one burst', async () => {
    const fails = (steps: readonly Step[]): Promise<number | undefined> => {
      const at = steps.findIndex((one) => {
        const inside = names([one])
        return inside.includes('a7') && inside.includes('c7')
      })
      return Promise.resolve(at < 0 ? undefined : at)
    }
    const least = await minimise(STEPS, fails, () => true)
    assert.equal(least.length, 1)
    assert.ok(names(least).includes('a7') && names(least).includes('c7'))
  })

  it('is given back as it is where there is no time', async () => {
    const least = await minimise(STEPS, failsAfter('a0', 'c99'), () => false)
    assert.equal(await failsAfter('a0', 'c99')(least), least.length - 1)
  })
})
