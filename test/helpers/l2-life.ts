/**
 * The disk tier without a cache above it, life after life on one folder: started, stopped, and killed,
 * for which a copy of the folder stands as it is at that instant.
 */
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { bytesOf } from '../../src/bytes/ascii.ts'
import type { Bytes } from '../../src/bytes/ascii.ts'
import { ManualClock } from '../../src/observe/clock.ts'
import { createLoggerTo } from '../../src/observe/log.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import type { FileSystem } from '../../src/store/l2/file-system.ts'
import { L2Store } from '../../src/store/l2/l2-store.ts'
import type { L2Options } from '../../src/store/l2/l2-store.ts'
import { READ, emptyRecordView, readRecord } from '../../src/store/l2/record.ts'
import type { ChangeSource } from '../../src/store/l2/write-behind.ts'
import { copyFolder } from './copy-folder.ts'
import type { FaultyFiles } from './faulty-files.ts'
import { temporaryFolder } from './faulty-files.ts'

export const START_S: number = 1_800_000_000
const OPTIONS = {
  diskBytesMax: 64 * 2 ** 20,
  writeIntervalMs: 100,
  inlineReads: false,
  compression: { enabled: false, minBytes: 0, maxBytes: 0 },
  stagedBytesMax: 2 ** 22,
  syncIntervalMs: 1000,
} as const

/** Sequence numbers go on over the lives of one store, as those of a cache do. */
class Source implements ChangeSource {
  sequence = 0
  readonly changedBytes = 0
  addChanged(): boolean {
    return true
  }
}

/** One life of a store on a folder. */
export class Life {
  readonly l2: L2Store
  readonly source: Source
  readonly output: string[]

  private constructor(l2: L2Store, source: Source, output: string[]) {
    this.l2 = l2
    this.source = source
    this.output = output
  }

  static async begin(
    t: TestContext,
    folder: string,
    clock: ManualClock = new ManualClock(START_S),
    files?: FileSystem,
    sync: L2Options['sync'] = 'never',
  ): Promise<Life> {
    const source = new Source()
    const output: string[] = []
    const log = createLoggerTo({ write: (line) => void output.push(line) }, 'debug', false)
    const options = { ...OPTIONS, folder, sync }
    const l2 = await L2Store.open(options, source, clock, new Metrics(), log, files)
    source.sequence = l2.first.sequenceReserved
    const life = new Life(l2, source, output)
    t.after(() => life.stop().catch(() => undefined))
    return life
  }

  /** Whether every key was known from the first instant on. */
  get isIndexed(): boolean {
    return !this.l2.isRecovering
  }

  async start(): Promise<this> {
    this.l2.start()
    await this.l2.recovered
    return this
  }

  set(name: string, value: string, expiresAtS = 0): void {
    const key = Buffer.from(name)
    const both = bytesOf(Buffer.concat([key, Buffer.from(value)]))
    const fields = emptyRecordView()
    fields.expiresAtS = expiresAtS
    fields.casLo = ++this.source.sequence
    fields.keyBytes = key.length
    fields.valueBytes = both.buffer.length - key.length
    this.l2.supersede(...hashOf(name), this.source.sequence)
    assert.ok(this.l2.add(...hashOf(name), fields, both, 0, key.length))
    this.l2.commit()
  }

  delete(name: string): void {
    this.l2.invalidate(...hashOf(name), ++this.source.sequence)
    this.l2.commit()
  }

  entryOf(name: string): number {
    return this.l2.find(...hashOf(name))
  }

  async get(name: string): Promise<string | undefined> {
    const entry = this.entryOf(name)
    if (entry === 0) return undefined
    const key: Bytes = bytesOf(Buffer.from(name))
    let value: string | undefined
    await this.l2.read([this.l2.placeOf(entry)], (_index, found) => {
      if (found === undefined) return
      const view = emptyRecordView()
      const length = key.buffer.length
      const read = readRecord(found.bytes, found.offset, found.end, key, 0, length, view)
      if (read !== READ.OK) return
      const { valueStart, valueBytes } = view
      value = view.value.buffer.toString('latin1', valueStart, valueStart + valueBytes)
    })
    return value
  }

  /** Writes what waits. */
  written(): Promise<void> {
    return new Promise((proceed) => {
      this.l2.writer.whenWritten({ proceed })
    })
  }

  /** Begins a generation, as if the newest were full. */
  async rotate(): Promise<void> {
    await this.written()
    await this.l2.list.add()
    // The batch that is open goes to the generation that it was begun for.
    this.set('between', 'generations')
    await this.written()
  }

  stop(): Promise<void> {
    return this.l2.close()
  }
}

/** Of no quality, but the same in every life. */
export function hashOf(name: string): [number, number] {
  let hi = 7
  let lo = 11
  for (const character of name) {
    lo = Math.imul(lo ^ character.charCodeAt(0), 0x9e37_79b1)
    hi = Math.imul(hi + lo, 0x85eb_ca6b)
  }
  return [hi | 0, lo | 0]
}

export function namesOf(folder: string, prefix: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort()
}

/** How often a copy is begun again because a file went meanwhile. */
const COPIES_TRIED = 5

/** A copy of a folder as it is now: what a kill at this instant would leave. */
export function killedCopy(t: TestContext, folder: string): string {
  const copy = join(temporaryFolder(t), 'data')
  for (let attempt = 0; ; attempt++) {
    try {
      copyFolder(folder, copy)
      break
    } catch (error) {
      // A file that is being removed may go while it is copied.
      if (attempt === COPIES_TRIED) throw error
      rmSync(copy, { recursive: true, force: true })
    }
  }
  return copy
}

/** A folder with some keys in three generations, after a clean stop. */
export async function stoppedFolder(t: TestContext): Promise<string> {
  const folder = join(temporaryFolder(t), 'data')
  const life = await (await Life.begin(t, folder)).start()
  for (let n = 0; n < 10; n++) life.set(`first-${n}`, `one-${n}`)
  life.set('changed', 'old')
  life.set('deleted', 'old')
  await life.rotate()
  for (let n = 0; n < 10; n++) life.set(`second-${n}`, `two-${n}`)
  life.set('changed', 'new')
  life.delete('deleted')
  await life.rotate()
  for (let n = 0; n < 10; n++) life.set(`third-${n}`, `three-${n}`)
  await life.stop()
  return folder
}

/** What the log says of a start that fails when it writes its state. */
export async function refusedStart(folder: string, files: FaultyFiles): Promise<string> {
  const output: string[] = []
  const log = createLoggerTo({ write: (line) => void output.push(line) }, 'debug', false)
  const clock = new ManualClock(START_S)
  const options = { ...OPTIONS, folder, sync: 'never' as const }
  const opening = L2Store.open(options, new Source(), clock, new Metrics(), log, files)
  await assert.rejects(opening, { code: 'DATA_DIR_UNUSABLE' })
  return output.join('')
}
