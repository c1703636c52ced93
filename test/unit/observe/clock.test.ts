import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { ManualClock, SystemClock } from '../../../src/observe/clock.ts'

/** Runs a test with the wall clock and the timers in its hands. */
function withMockedTime(startMs: number, test: (clock: SystemClock) => void): void {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'], now: startMs })
  const clock = new SystemClock()
  try {
    test(clock)
  } finally {
    clock.stop()
    mock.timers.reset()
  }
}

describe('the manual clock', () => {
  it('moves both its times by what it is told', () => {
    const clock = new ManualClock(1000)
    assert.equal(clock.nowS, 1000)
    assert.equal(clock.elapsedMs(), 0)
    clock.advance(3)
    assert.equal(clock.nowS, 1003)
    assert.equal(clock.elapsedMs(), 3000)
  })

  it('runs a repeating task once for each period that has passed, and no more once stopped', () => {
    const clock = new ManualClock()
    let runs = 0
    const repeating = clock.every(500, () => runs++)
    clock.advance(0)
    assert.equal(runs, 0)
    clock.advance(2)
    assert.equal(runs, 4)
    repeating.stop()
    clock.advance(2)
    assert.equal(runs, 4)
  })

  it('runs a single task once, and not if it is stopped before', () => {
    const clock = new ManualClock()
    const runs: string[] = []
    clock.after(1000, () => runs.push('kept'))
    clock.after(1000, () => runs.push('stopped')).stop()
    clock.after(1001, () => runs.push('later'))
    clock.advance(1)
    assert.deepEqual(runs, ['kept'])
    clock.advance(1)
    assert.deepEqual(runs, ['kept', 'later'])
    clock.advance(100)
    assert.equal(runs.length, 2)
  })
})

describe('the system clock', () => {
  it('follows the wall clock in whole seconds, at most a quarter of a second late', () => {
    withMockedTime(5_000_700, (clock) => {
      assert.equal(clock.nowS, 5000)
      mock.timers.tick(250)
      assert.equal(clock.nowS, 5000)
      mock.timers.tick(250)
      assert.equal(clock.nowS, 5001)
      mock.timers.tick(3600_000)
      assert.equal(clock.nowS, 8601)
    })
  })

  it('never runs backwards, and goes on when the wall clock has caught up', () => {
    withMockedTime(5_000_000, (clock) => {
      mock.timers.setTime(4_000_000)
      mock.timers.tick(1000)
      assert.equal(clock.nowS, 5000)
      mock.timers.setTime(6_000_000)
      mock.timers.tick(250)
      assert.equal(clock.nowS, 6000)
    })
  })

  it('stands still once stopped', () => {
    withMockedTime(5_000_000, (clock) => {
      clock.stop()
      mock.timers.tick(10_000)
      assert.equal(clock.nowS, 5000)
    })
  })

  it('runs tasks by the period or once, until they are stopped', () => {
    withMockedTime(5_000_000, (clock) => {
      const runs: string[] = []
      const repeating = clock.every(100, () => runs.push('every'))
      clock.after(150, () => runs.push('after'))
      clock.after(150, () => runs.push('stopped')).stop()
      mock.timers.tick(200)
      assert.deepEqual(runs, ['every', 'after', 'every'])
      repeating.stop()
      mock.timers.tick(1000)
      assert.equal(runs.length, 3)
    })
  })

  it('measures durations by a clock that does not go back', () => {
    const clock = new SystemClock()
    let before = clock.elapsedMs()
    for (let i = 0; i < 1000; i++) {
      const now = clock.elapsedMs()
      assert.ok(now >= before)
      before = now
    }
    clock.stop()
  })
})
