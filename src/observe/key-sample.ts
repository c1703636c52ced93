/**
 * Which keys are asked for, from a sample: the commands of one turn of many are looked at, and each counts
 * for as many as were not. How many is adapted to the traffic, so that a busy server spends no more on it
 * than a slow one, and a slow one sees all.
 *
 * While a turn is sampled, Watchers have the topic SAMPLE, so commands tell of their keys; no other turn
 * does anything for it but count down.
 */
import type { Clock } from './clock.ts'
import { HotKeys } from './hot-keys.ts'
import { PrefixCounts } from './prefix-counts.ts'

/** Keys that are looked at in a second, about, at a microsecond each: a thousandth of it. */
const KEYS_PER_S = 1000
/** Traffic that grows is noticed before the second is over. */
const KEYS_AT_ONCE_MAX = 500
const PREFIXES_MAX = 1024

/** Who lets commands tell of their keys. */
export interface SampleSwitch {
  sampleKeys(is: boolean): void
}

export class KeySample {
  readonly hot: HotKeys
  readonly prefixes: PrefixCounts
  readonly #switch: SampleSwitch
  readonly #clock: Pick<Clock, 'elapsedMs'>
  #isOn = false
  /** One turn of so many is sampled. */
  #every = 1
  /** Turns until the next one is. */
  #left = 1
  /** Keys since `#every` was set, and when that was. */
  #noted = 0
  #setMs: number
  #random: number

  constructor(
    windowMs: number,
    delimiter: string,
    seed: number,
    clock: Pick<Clock, 'elapsedMs'>,
    theSwitch: SampleSwitch,
  ) {
    this.#clock = clock
    this.#setMs = clock.elapsedMs()
    this.#switch = theSwitch
    this.hot = new HotKeys(windowMs, this.#setMs)
    this.prefixes = new PrefixCounts(delimiter, PREFIXES_MAX, true)
    // Xorshift has one state that it never leaves.
    this.#random = seed === 0 ? 1 : seed
  }

  /** One turn of so many is looked at now. */
  get every(): number {
    return this.#every
  }

  /** A turn is over, or a part of it that was answered: whether the next one is sampled is known now. */
  turnEnded(): void {
    if (--this.#left > 0) {
      if (this.#isOn) this.#turn(false)
      return
    }
    if (this.#noted >= KEYS_AT_ONCE_MAX) this.#adapt()
    this.#left = this.#every === 1 ? 1 : 1 + (this.#next() % (2 * this.#every - 1))
    if (!this.#isOn) this.#turn(true)
  }

  /** To be called a few times a second. */
  tick(): void {
    const nowMs = this.#clock.elapsedMs()
    this.hot.tick(nowMs)
    if (nowMs - this.#setMs >= 1000) this.#adapt()
  }

  read(key: string, isHit: boolean, valueBytes: number): void {
    const weight = this.#note()
    this.prefixes.get(key, isHit, weight)
    this.hot.add('reads', key, weight)
    if (!isHit) this.hot.add('misses', key, weight)
    else if (valueBytes > 0) this.hot.add('bytes', key, valueBytes * weight)
  }

  write(key: string, valueBytes: number): void {
    const weight = this.#note()
    this.prefixes.set(key, weight)
    this.hot.add('writes', key, weight)
    if (valueBytes > 0) this.hot.add('bytes', key, valueBytes * weight)
  }

  remove(key: string): void {
    const weight = this.#note()
    this.prefixes.delete(key, weight)
    this.hot.add('writes', key, weight)
  }

  evicted(key: string): void {
    this.prefixes.evict(key, this.#every)
  }

  clear(): void {
    this.hot.clear()
    this.prefixes.clear()
  }

  #note(): number {
    this.#noted++
    return this.#every
  }

  #turn(isOn: boolean): void {
    this.#isOn = isOn
    this.#switch.sampleKeys(isOn)
  }

  /** Looks at more turns or fewer, by how many keys there were since this was done last. */
  #adapt(): void {
    const nowMs = this.#clock.elapsedMs()
    const seconds = Math.max(0.001, (nowMs - this.#setMs) / 1000)
    const perS = (this.#noted * this.#every) / seconds
    this.#every = Math.max(1, Math.ceil(perS / KEYS_PER_S))
    this.#noted = 0
    this.#setMs = nowMs
    this.#left = Math.min(this.#left, this.#every)
  }

  /** Xorshift32, of G. Marsaglia. */
  #next(): number {
    let x = this.#random
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#random = x
    return x >>> 0
  }
}
