/** A server that is started as root and changes to another user, with a disk tier. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lookUpUser } from '../../../src/cli/user.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const NOBODY = 'nobody'
/** Some three generations of the smallest tier. */
const ITEMS = 5000
const VALUE = 'x'.repeat(1000)

/** Starts the program and resolves to its port, and to a way to stop it. */
async function start(args: readonly string[]): Promise<{ port: number; stop(): Promise<number> }> {
  const argv = ['--import', 'tsx', 'bin/rat-memcached.ts', '--bind', '127.0.0.1:0', ...args]
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  for await (const chunk of child.stdout) {
    log += String(chunk)
    const port = /"addresses":\["127\.0\.0\.1:(\d+)"/.exec(log)?.[1]
    if (port === undefined) continue
    return {
      port: Number(port),
      async stop() {
        child.kill('SIGTERM')
        const [status] = await once(child, 'exit')
        return Number(status)
      },
    }
  }
  return assert.fail(`the server did not start: ${log}`)
}

/** Sends everything, then takes what comes until the server hangs up. */
async function talk(port: number, request: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let reply = ''
  socket.on('data', (bytes) => (reply += bytes.toString('latin1')))
  socket.write(request)
  await once(socket, 'end')
  return reply
}

describe('the data directory of a server with a user to change to', () => {
  it('belongs to that user, who goes on writing there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-rights-'))
    // The user has to get there, and may make nothing there.
    chmodSync(folder, 0o755)
    const data = join(folder, 'data')
    try {
      const options = ['--data-dir', data, '--max-disk-size', '16MB', '-u', NOBODY]
      const server = await start([...options, '--write-policy', 'write-through'])
      let sets = ''
      for (let i = 0; i < ITEMS; i++) sets += `set k${i} 0 0 ${VALUE.length}\r\n${VALUE}\r\n`
      const reply = await talk(server.port, `${sets}stats l2\r\nquit\r\n`)
      assert.match(reply, /^STAT l2_degraded 0\r$/m)
      assert.match(reply, /^STAT l2_write_errors 0\r$/m)
      assert.equal(await server.stop(), 0)

      const isRoot = process.getuid?.() === 0
      const owner = isRoot ? lookUpUser(NOBODY).uid : process.getuid?.()
      const paths = readdirSync(data, { recursive: true, encoding: 'utf8' })
      assert.ok(paths.filter((path) => /^gen-\d+$/.test(path)).length > 1, paths.join(' '))
      for (const path of ['', ...paths]) assert.equal(lstatSync(join(data, path)).uid, owner, path)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
