/**
 * A memcached in a few lines whose memory survives its lives, with a fault on demand: to show that
 * the crash test finds each fault, and finds none where there is none. It lives in the process of
 * the test, so a kill takes its sockets and nothing else.
 */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Life, LifeSettings, Launcher } from './server-process.ts'

export const FAKE_FAULTS = [
  'none',
  'restores older values',
  'resurrects deletes',
  'resurrects flushes',
  'revives expired items',
  'forgets touches',
  'repeats cas values',
  'swaps bytes',
  'swaps flags',
  'loses old items',
  'loses items in clean stops',
  'serves stale while running',
] as const
export type FakeFault = (typeof FAKE_FAULTS)[number]

interface Item {
  value: Buffer
  flags: number
  expiresAtS: number
  cas: number
}

/** What outlives a life. */
interface Disk {
  readonly items: Map<string, Item>
  /** What was stored under a key before what is stored now, and when that came. */
  readonly older: Map<string, Item>
  readonly deleted: Map<string, Item>
  lastCas: number
  flushAtS: number
}

const LINE_END = Buffer.from('\r\n')
const RELATIVE_MAX_S = 30 * 24 * 60 * 60
/** Every so many-th key suffers from the fault. */
const FAULTY_KEYS = 7

export class FakeLauncher implements Launcher {
  readonly #fault: FakeFault
  readonly #disks = new Map<string, Disk>()

  constructor(fault: FakeFault) {
    this.#fault = fault
  }

  start({ dataDir }: LifeSettings): Life {
    let disk = this.#disks.get(dataDir)
    if (disk === undefined) {
      const [items, older, deleted] = [new Map(), new Map(), new Map()]
      disk = { items, older, deleted, lastCas: 0, flushAtS: 0 }
      this.#disks.set(dataDir, disk)
    }
    return new FakeLife(disk, this.#fault)
  }
}

class FakeLife implements Life {
  readonly listening: Promise<number | undefined>
  readonly ended: Promise<string>
  readonly #disk: Disk
  readonly #fault: FakeFault
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #end: (how: string) => void = () => undefined

  constructor(disk: Disk, fault: FakeFault) {
    this.#disk = disk
    this.#fault = fault
    this.#server = createServer((socket) => this.#serve(socket))
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.listening = new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' ? address?.port : undefined)
      })
    })
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    this.#spoil(signal === 'SIGTERM')
    this.#end(signal === 'SIGTERM' ? 'exit 0' : signal)
  }

  output(): string {
    return 'the fake says nothing'
  }

  /** What goes wrong when it dies. */
  #spoil(isStop: boolean): void {
    const { items, older, deleted } = this.#disk
    if (this.#fault === 'restores older values') restore(older, items)
    if (this.#fault === 'resurrects deletes') restore(deleted, items)
    if (this.#fault === 'repeats cas values') this.#disk.lastCas = 0
    if (
      this.#fault === 'loses old items' ||
      (this.#fault === 'loses items in clean stops' && isStop)
    ) {
      for (const key of items.keys()) if (isFaulty(key)) items.delete(key)
    }
    for (const [key, item] of isFaultyDisk(this.#fault) ? items : []) {
      if (!isFaulty(key)) continue
      if (this.#fault === 'revives expired items') item.expiresAtS = 0
      if (this.#fault === 'swaps flags') item.flags = (item.flags ^ 1) >>> 0
      if (this.#fault === 'swaps bytes')
        item.value = Buffer.from(item.value.map((byte) => byte ^ 1))
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let input = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      const out: Buffer[] = []
      for (;;) {
        const lineEnd = input.indexOf(LINE_END)
        if (lineEnd < 0) break
        const words = input.toString('latin1', 0, lineEnd).split(' ')
        const hasValue = /^(?:set|add|replace|append|prepend|cas)$/.test(words[0]!)
        const start = lineEnd + 2
        const end = hasValue ? start + Number(words[4]) : start
        if (hasValue && input.length < end + 2) break
        const isQuiet = words.at(-1) === 'noreply'
        const reply = this.#run(words, Buffer.from(input.subarray(start, end)))
        if (!isQuiet) out.push(...reply)
        input = input.subarray(hasValue ? end + 2 : start)
      }
      if (out.length > 0) socket.write(Buffer.concat(out))
    })
  }

  #run(words: readonly string[], value: Buffer): Buffer[] {
    const [verb = '', key = ''] = words
    if (verb === 'gets') return this.#show(words.slice(1))
    if (verb === 'gats') {
      const item = this.#find(words[2]!)
      if (item !== undefined) item.expiresAtS = instant(Number(key))
      return this.#show([words[2]!], item)
    }
    if (verb === 'version') return line('VERSION 1.6.45')
    if (verb === 'flush_all') {
      const delayS = Number(words[1] ?? 0)
      if (delayS > 0) this.#disk.flushAtS = nowS() + delayS
      else this.#flush()
      return line('OK')
    }
    const item = this.#find(key)
    if (verb === 'delete') return this.#delete(key, item)
    if (verb === 'touch') {
      if (item === undefined) return line('NOT_FOUND')
      if (this.#fault !== 'forgets touches' || !isFaulty(key)) {
        item.expiresAtS = instant(Number(words[2]))
      }
      return line('TOUCHED')
    }
    if (verb === 'incr' || verb === 'decr') return this.#count(verb, key, item, BigInt(words[2]!))
    return this.#store(words, item, value)
  }

  #store(words: readonly string[], item: Item | undefined, value: Buffer): Buffer[] {
    const [verb, key = '', flags, exptime, , token] = words
    if (verb === 'add' && item !== undefined) return line('NOT_STORED')
    if (verb === 'cas') {
      if (item === undefined) return line('NOT_FOUND')
      if (item.cas !== Number(token)) return line('EXISTS')
    } else if (verb !== 'set' && verb !== 'add' && item === undefined) return line('NOT_STORED')
    const extended = { append: [item?.value, value], prepend: [value, item?.value] }[verb!]
    if (extended === undefined) this.#put(key, value, Number(flags), instant(Number(exptime)))
    else
      this.#put(
        key,
        Buffer.concat(extended.flatMap((part) => part ?? [])),
        item!.flags,
        item!.expiresAtS,
      )
    return line('STORED')
  }

  #put(key: string, value: Buffer, flags: number, expiresAtS: number): void {
    const { items, older } = this.#disk
    const old = items.get(key)
    if (old !== undefined) older.set(key, old)
    if (old !== undefined && this.#fault === 'serves stale while running' && isFaulty(key)) return
    this.#disk.deleted.delete(key)
    items.set(key, { value, flags, expiresAtS, cas: ++this.#disk.lastCas })
  }

  #count(verb: string, key: string, item: Item | undefined, delta: bigint): Buffer[] {
    if (item === undefined) return line('NOT_FOUND')
    const text = item.value.toString('latin1').trim()
    if (!/^\d{1,20}$/.test(text)) {
      return line('CLIENT_ERROR cannot increment or decrement non-numeric value')
    }
    const old = BigInt(text)
    const less = old > delta ? old - delta : 0n
    const count = String(verb === 'incr' ? BigInt.asUintN(64, old + delta) : less)
    this.#put(key, Buffer.from(count.padEnd(item.value.length)), item.flags, item.expiresAtS)
    return line(count)
  }

  #delete(key: string, item: Item | undefined): Buffer[] {
    if (item === undefined) return line('NOT_FOUND')
    this.#disk.items.delete(key)
    this.#disk.older.delete(key)
    this.#disk.deleted.set(key, item)
    return line('DELETED')
  }

  #flush(): void {
    const { items, older, deleted } = this.#disk
    for (const key of items.keys()) {
      if (this.#fault !== 'resurrects flushes' || !isFaulty(key)) items.delete(key)
    }
    older.clear()
    deleted.clear()
    this.#disk.flushAtS = 0
  }

  #find(key: string): Item | undefined {
    const { flushAtS, items } = this.#disk
    if (flushAtS !== 0 && flushAtS <= nowS()) this.#flush()
    const item = items.get(key)
    if (item === undefined || item.expiresAtS === 0 || item.expiresAtS > nowS()) return item
    // One that revives expired items still has them.
    if (this.#fault !== 'revives expired items') items.delete(key)
    return undefined
  }

  #show(keys: readonly string[], known?: Item): Buffer[] {
    const blocks = keys.flatMap((key) => {
      const item = known ?? this.#find(key)
      if (item === undefined) return []
      const head = `VALUE ${key} ${item.flags} ${item.value.length} ${item.cas}\r\n`
      return [Buffer.from(head), item.value, LINE_END]
    })
    return [...blocks, ...line('END')]
  }
}

function line(text: string): Buffer[] {
  return [Buffer.from(`${text}\r\n`)]
}

function restore(from: Map<string, Item>, to: Map<string, Item>): void {
  for (const [key, item] of from) if (isFaulty(key)) to.set(key, item)
}

function isFaulty(key: string): boolean {
  return Number(key.slice(key.indexOf(':') + 1)) % FAULTY_KEYS === 0
}

function isFaultyDisk(fault: FakeFault): boolean {
  return fault === 'revives expired items' || fault.startsWith('swaps')
}

function nowS(): number {
  return Math.floor(Date.now() / 1000)
}

function instant(exptime: number): number {
  if (exptime === 0) return 0
  if (exptime < 0) return 1
  return exptime > RELATIVE_MAX_S ? exptime : nowS() + exptime
}
