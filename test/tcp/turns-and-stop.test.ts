/** Who is served when, and how it all ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { READ_MODES, connectClient, startServer, turns } from '../helpers/server.ts'

/** Commands of one long line of input. */
const MANY = 200_000

for (const readMode of READ_MODES) {
  describe(`turns, read by ${readMode}`, () => {
    it('a client with a huge pipeline does not starve another', async () => {
      const server = await startServer({ 'server.max_commands_per_turn': '20' }, readMode)
      const greedy = await server.connect()
      const modest = await server.connect()
      await modest.ask('set k 0 0 1\r\nx\r\n', 'STORED\r\n')
      greedy.send('get k\r\n'.repeat(MANY))
      await greedy.until(() => greedy.length > 0)
      for (let i = 0; i < 20; i++) await modest.ask('version\r\n', 'VERSION 1.6.45\r\n')
      const reply = 'VALUE k 0 1\r\nx\r\nEND\r\n'
      const share = greedy.length / (MANY * reply.length)
      assert.ok(share < 0.5, `${Math.round(share * 100)} % of the pipeline came first`)
      const all = await greedy.take(MANY * reply.length, 20_000)
      assert.ok(all.toString('latin1') === reply.repeat(MANY))
      assert.ok((await server.stats()).get('conn_yields')! > 100)
      greedy.destroy()
      modest.destroy()
      await server.stop()
    })

    it('a huge get of one line does not starve another client either', async () => {
      const server = await startServer({ 'server.max_commands_per_turn': '20' }, readMode)
      const greedy = await server.connect()
      const modest = await server.connect()
      await modest.ask('set k 0 0 1\r\nx\r\n', 'STORED\r\n')
      greedy.send(`get${' k'.repeat(MANY)}\r\n`)
      await greedy.until(() => greedy.length > 0)
      for (let i = 0; i < 20; i++) await modest.ask('version\r\n', 'VERSION 1.6.45\r\n')
      const reply = 'VALUE k 0 1\r\nx\r\n'
      const share = greedy.length / (MANY * reply.length)
      assert.ok(share < 0.5, `${Math.round(share * 100)} % of the reply came first`)
      const all = await greedy.take(MANY * reply.length + 5, 20_000)
      assert.ok(all.toString('latin1') === `${reply.repeat(MANY)}END\r\n`)
      greedy.destroy()
      modest.destroy()
      await server.stop()
    })
  })

  describe(`stopping, read by ${readMode}`, () => {
    it('answers what was received, then ends', async () => {
      const server = await startServer({ 'server.max_commands_per_turn': '7' }, readMode)
      const client = await server.connect()
      await client.ask('set k 0 0 1\r\nx\r\n', 'STORED\r\n')
      client.send('get k\r\n'.repeat(2000))
      await turns(1)
      await server.stop()
      await client.closed()
      assert.ok(client.text === 'VALUE k 0 1\r\nx\r\nEND\r\n'.repeat(2000))
      await assert.rejects(connectClient({ host: '127.0.0.1', port: server.port }))
    })

    it('sends a large value to its end', async () => {
      const server = await startServer({}, readMode)
      const client = await server.connect()
      const value = 'v'.repeat(900_000)
      await client.ask(`set k 0 0 900000\r\n${value}\r\n`, 'STORED\r\n')
      client.socket.pause()
      client.send('get k\r\n'.repeat(10))
      await turns(3)
      const stopped = server.stop()
      client.socket.resume()
      await stopped
      await client.closed()
      assert.ok(client.text === `VALUE k 0 900000\r\n${value}\r\nEND\r\n`.repeat(10))
    })

    it('stops while a client is connected and silent, or in the middle of a value', async () => {
      const server = await startServer({ 'server.shutdown_timeout': '30s' }, readMode)
      const silent = await server.connect()
      const sending = await server.connect()
      sending.send('set k 0 0 10\r\n0123')
      await turns(3)
      const startedMs = performance.now()
      await server.stop()
      assert.ok(performance.now() - startedMs < 2000)
      await silent.closed()
      await sending.closed()
      assert.equal(silent.text + sending.text, '')
    })

    it('cuts a client that does not take its replies when its time is over', async () => {
      const server = await startServer({ 'server.shutdown_timeout': '200ms' }, readMode)
      const client = await server.connect()
      await client.ask(`set k 0 0 900000\r\n${'v'.repeat(900_000)}\r\n`, 'STORED\r\n')
      client.socket.pause()
      client.send('get k\r\n'.repeat(200))
      await turns(3)
      const startedMs = performance.now()
      await server.stop()
      const tookMs = performance.now() - startedMs
      assert.ok(tookMs >= 190 && tookMs < 2000, `${tookMs} ms`)
      client.destroy()
    })

    it('may be asked for twice', async () => {
      const server = await startServer({}, readMode)
      await Promise.all([server.stop(), server.stop()])
      await server.stop()
    })
  })
}

describe('stopping', () => {
  it('comes to its end although nothing but the last connection keeps the process alive', () => {
    const helper = new URL('../helpers/server.ts', import.meta.url).href
    const program = `
      const { startServer } = await import(${JSON.stringify(helper)})
      const server = await startServer()
      const client = await server.connect()
      client.socket.on('end', () => client.destroy())
      await server.stop()
      console.log('stopped')
    `
    const argv = ['--import', 'tsx', '--input-type=module', '-e', program]
    const { status, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'stopped\n' })
  })
})
