/** Who waits for the disk: for an item, for room to write, or for what was written to be there. */
export interface DiskWaiter {
  /** What was waited for has come, or never will. */
  proceed(): void
}
