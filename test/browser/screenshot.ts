/**
 * `npm run docs:page`: takes the picture of the page in docs/, of a server that has been busy for as long as
 * the charts show. `-- --seconds 20 --light --width 390 --to FILE` takes others,
 * and `--height 900` only the top of it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { launchBrowser } from './chromium.ts'
import { withPalette } from './palette.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = `${ROOT}dist/bin/rat-memcached.js`

const CLIENTS = 24
/** The most requests a second of all of them together; the rate goes up and down in waves. */
const RATE = 9000
const TICK_MS = 20
const WAVE_S = 40
const KEYS = 90_000

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '165' },
    to: { type: 'string', default: `${ROOT}docs/page.png` },
    width: { type: 'string', default: '1320' },
    height: { type: 'string' },
    light: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'rat-screenshot-'))
const server = spawn(process.execPath, [PROGRAM, '--bind', '127.0.0.1:0'], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    RAT_MEMCACHED_METRICS_BIND: '127.0.0.1:0',
    RAT_MEMCACHED_L1_MAX_MEMORY: '16MB',
    RAT_MEMCACHED_L2_MAX_DISK_SIZE: '160MB',
    RAT_MEMCACHED_LOGGING_PRETTY: 'never',
  },
})
const browser = await launchBrowser()
try {
  const { port, door } = await addressesOf()
  const stop = await putLoadOn(port)
  const page = await browser.newPage({
    colorScheme: options.light ? 'light' : 'dark',
    viewport: { width: Number(options.width), height: Number(options.height ?? 1000) },
  })
  await page.goto(`http://${door}/`)
  await page.selectOption('#interval', '1000')
  await page.waitForTimeout(Number(options.seconds) * 1000)
  await page.fill('#key', keyOf(1))
  await page.keyboard.press('Enter')
  await page.waitForTimeout(1500)
  await page.evaluate('document.activeElement.blur()')
  if (options.height === undefined) {
    const height = Number(await page.evaluate('document.documentElement.scrollHeight'))
    await page.setViewportSize({ width: Number(options.width), height })
  }
  const picture = withPalette(await page.screenshot())
  stop()
  writeFileSync(options.to, picture)
  console.log(`${options.to}: ${picture.length} bytes`)
} finally {
  await browser.close()
  server.kill('SIGTERM')
  await once(server, 'exit')
  rmSync(folder, { recursive: true })
}

/** Where the server and its side door listen, as its log says. */
async function addressesOf(): Promise<{ port: number; door: string }> {
  let log = ''
  let door = ''
  // What the server says later is not of interest, but it must be able to say it.
  for await (const bytes of server.stdout.iterator({ destroyOnReturn: false })) {
    log += String(bytes)
    for (const line of log.split('\n').slice(0, -1)) {
      const { msg, address, addresses } = JSON.parse(line)
      if (msg === 'the side door is open') door = address
      if (msg !== 'listening') continue
      server.stdout.resume()
      return { port: Number(addresses[0].split(':')[1]), door }
    }
  }
  throw new Error(`the server ended: ${log}`)
}

/** Requests at a rate, whatever the answers; ends with what it returns. */
async function putLoadOn(port: number): Promise<() => void> {
  const sockets: Socket[] = []
  for (let i = 0; i < CLIENTS; i++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.resume()
    // The server may stop before they do.
    socket.on('error', () => socket.destroy())
    sockets.push(socket)
  }
  const random = randomNumbers(11)
  let ticks = 0
  const timer = setInterval(() => {
    ticks++
    const seconds = (ticks * TICK_MS) / 1000
    const wave = 0.75 + 0.2 * Math.sin((2 * Math.PI * seconds) / WAVE_S) + 0.05 * random()
    const requests = Math.round((RATE * wave * TICK_MS) / 1000 / CLIENTS)
    for (const socket of sockets) {
      let text = ''
      for (let i = 0; i < requests; i++) text += request(random)
      socket.write(text)
    }
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
  }
}

function request(random: () => number): string {
  const kind = random()
  // Few keys are asked for often: the density falls with the rank.
  const rank = Math.floor(KEYS ** random())
  const key = keyOf(rank)
  if (kind < 0.78) return `get ${key}\r\n`
  if (kind < 0.8) return `get ${key}:old\r\n`
  if (kind < 0.81) return `delete ${key} noreply\r\n`
  if (kind < 0.83) return `touch ${key} 3600\r\n`
  const size = Math.ceil(60 * 12 ** (2 * random()))
  // A fifth lives only for a while.
  const lifeS = random() < 0.2 ? 20 : 3600
  return `set ${key} 0 ${lifeS} ${size}\r\n${'x'.repeat(size)}\r\n`
}

function keyOf(rank: number): string {
  const kind = ['user', 'session', 'product', 'feed', 'page'][rank % 5]
  return `${kind}:${rank * 7919}`
}

/** The same numbers each time: mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
