/** Waiting for something that other code brings about, with an end. */

export class Patience {
  #wake: (() => void) | undefined

  /** Something has come: whoever waits looks again. */
  wake(): void {
    this.#wake?.()
  }

  /** Waits until `isDone` holds, which is looked at after each `wake`; false if it does not in time. */
  async until(isDone: () => boolean, patienceMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + patienceMs
    while (!isDone()) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    return true
  }
}
