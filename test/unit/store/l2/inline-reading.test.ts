/** When a record may be read by the thread that serves everybody. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManualClock } from '../../../../src/observe/clock.ts'
import { InlineReading, deviceWaitsOn } from '../../../../src/store/l2/inline-reading.ts'

const HOUR_MS = 3_600_000

/** A reader on a clock that tests move, and a device that is waited for when they say so. */
class Reader {
  readonly clock: ManualClock = new ManualClock()
  readonly inline: InlineReading
  waits = 0
  stalledMs = 0

  constructor() {
    this.inline = new InlineReading(this.clock, () => this.waits)
  }

  advanceMs(ms: number): void {
    this.clock.advance(ms / 1000)
  }

  /** Reads at once if that is allowed. */
  read(tookMs: number, isWaiting: boolean): boolean {
    if (!this.inline.begin()) return false
    this.advanceMs(tookMs)
    if (isWaiting) {
      this.waits++
      this.stalledMs += tookMs
    }
    assert.equal(Math.round(this.inline.end() * 1e6), Math.round(tookMs * 1e6))
    return true
  }
}

describe('reading at once', () => {
  it('goes on as long as no device is waited for', () => {
    const reader = new Reader()
    for (let i = 0; i < 10_000; i++) {
      assert.ok(reader.read(0.003, false))
      reader.advanceMs(0.01)
    }
  })

  it('rests for a time that grows with the square of the wait', () => {
    for (const [tookMs, restMs] of [
      [0.1, 10],
      [1, 1000],
      [5, 25_000],
      [10, 60_000],
      [500, 60_000],
    ] as const) {
      const reader = new Reader()
      assert.ok(reader.read(tookMs, true))
      reader.advanceMs(restMs - 0.001)
      assert.equal(reader.read(0.003, false), false, `${restMs} ms are not over`)
      reader.advanceMs(0.002)
      assert.equal(reader.read(0.003, false), true, `${restMs} ms are over`)
    }
  })

  it('does not rest where the time went by without a wait, as for a large value', () => {
    const reader = new Reader()
    for (let i = 0; i < 100; i++) {
      assert.ok(reader.read(1, false))
      reader.advanceMs(4)
    }
  })

  it('keeps what others wait for it within half a microsecond on average, on any device', () => {
    for (const tookMs of [0.06, 0.1, 0.5, 2, 5]) {
      const reader = new Reader()
      let waitedMs = 0
      const beganMs = reader.clock.elapsedMs()
      while (reader.clock.elapsedMs() - beganMs < HOUR_MS) {
        // Somebody who comes while a read takes t waits t / 2.
        if (reader.read(tookMs, true)) waitedMs += (tookMs * tookMs) / 2
        reader.advanceMs(0.9)
      }
      const averageUs = (waitedMs / HOUR_MS) * 1000
      assert.ok(averageUs <= 0.5, `${tookMs} ms: ${averageUs} us`)
      assert.ok(averageUs > 0.1, 'it is tried again')
    }
  })

  it('takes at most half of the time', () => {
    const reader = new Reader()
    let readingMs = 0
    for (let i = 0; i < 100_000; i++) {
      if (reader.read(0.02, false)) readingMs += 0.02
      else reader.advanceMs(0.02)
    }
    const share = readingMs / reader.clock.elapsedMs()
    assert.ok(share > 0.4 && share < 0.52, String(share))
  })

  it('knows of waits where the system does not tell them: whatever takes long is one', () => {
    const clock = new ManualClock()
    const inline = new InlineReading(clock, deviceWaitsOn('darwin'))
    for (const isFirst of [true, false]) {
      assert.ok(inline.begin(), String(isFirst))
      clock.advance(0.001)
      inline.end()
      assert.equal(inline.begin(), false)
      clock.advance(1)
    }
  })
})
