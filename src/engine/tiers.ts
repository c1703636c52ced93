/** What goes to which tier: decisions, without the means to carry them out. */

/** Three of them change while the server runs, by the command `extstore`. */
export interface TierRules {
  /** Values from this size on live on disk; Infinity for none. */
  readonly largeValueBytesMin: number
  /** Values below and above are kept in memory only. */
  valueBytesMin: number
  readonly valueBytesMax: number
  /** Less time to live than this is not worth writing. */
  secondsToLiveMin: number
  promotion: 'always' | 'second-hit' | 'never'
}

/** Whether a value is to live on disk rather than in memory. */
export function isLarge(rules: TierRules, valueBytes: number): boolean {
  return valueBytes >= rules.largeValueBytesMin
}

/** Whether an item may go to disk. `secondsToLive` is Infinity for one without an expiry. */
export function isAdmitted(rules: TierRules, valueBytes: number, secondsToLive: number): boolean {
  return (
    valueBytes >= rules.valueBytesMin &&
    valueBytes <= rules.valueBytesMax &&
    secondsToLive >= rules.secondsToLiveMin
  )
}

/** Whether an item that is read from disk is to stay in memory. */
export function isPromoted(rules: TierRules, wasReadBefore: boolean): boolean {
  return rules.promotion === 'always' || (rules.promotion === 'second-hit' && wasReadBefore)
}
