import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { SystemClock } from '../../../src/observe/clock.ts'
import { ServerClient } from '../../../src/tools/server-client.ts'
import { readTarget } from '../../../src/tools/target.ts'
import { startServer } from '../../helpers/server.ts'
import { certificateFile } from '../../helpers/tls.ts'

const clock = new SystemClock()
after(() => clock.stop())

/** A server that does what it is told with each client, for as long as `use` takes. */
async function served(
  answer: (socket: Socket) => void,
  use: (client: ServerClient) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    answer(socket)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo
  const client = await ServerClient.open(readTarget(`127.0.0.1:${port}`), clock)
  try {
    await use(client)
  } finally {
    client.close()
    server.close()
  }
}

describe('the connection of a tool', () => {
  it('gives lines and bytes, however they are cut', async () => {
    const text = 'VA 7 f0\r\nab\r\ncd\0\r\nEN\nlast\r\n'
    for (const size of [1, 2, 3, 5, 100]) {
      await served(
        (socket) => {
          socket.setNoDelay()
          const send = (at: number): void => {
            if (at >= text.length) return
            socket.write(text.slice(at, at + size), () => setImmediate(send, at + size))
          }
          send(0)
        },
        async (client) => {
          assert.equal(await client.line(), 'VA 7 f0')
          assert.equal((await client.bytes(9)).toString(), 'ab\r\ncd\0\r\n')
          assert.equal(await client.line(), 'EN')
          assert.equal(await client.line(), 'last')
          assert.equal(client.keptBytes, 0)
        },
      )
    }
  })

  it('keeps little of what nobody takes, and all of what somebody waits for', async () => {
    const length = 20 * 2 ** 20
    let sent: Socket | undefined
    await served(
      (socket) => {
        sent = socket
        socket.write(`VA ${length}\r\n`)
        socket.write(Buffer.alloc(length, 'x'))
      },
      async (client) => {
        assert.equal(await client.line(), `VA ${length}`)
        while (client.keptBytes < 2 ** 20) {
          await new Promise((resolve) => {
            setImmediate(resolve)
          })
        }
        assert.ok(client.keptBytes < 3 * 2 ** 20, `${client.keptBytes} bytes`)
        assert.ok(sent!.writableLength > 0)
        const value = await client.bytes(length)
        assert.equal(value.length, length)
        assert.ok(value.equals(Buffer.alloc(length, 'x')))
      },
    )
  })

  it('says that a server has gone, and which', async () => {
    await served(
      (socket) => socket.end('half'),
      async (client) => {
        await assert.rejects(client.line(), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'SERVER_UNREACHABLE')
          assert.match(error.message, /^127\.0\.0\.1:\d+: it closed the connection$/)
          return true
        })
        await assert.rejects(client.send('more'), { code: 'SERVER_UNREACHABLE' })
      },
    )
    await assert.rejects(ServerClient.open(readTarget('unix:/none'), clock), {
      code: 'SERVER_UNREACHABLE',
    })
  })

  it('gives up a line that does not end', async () => {
    await served(
      (socket) => socket.write(Buffer.alloc(200_000, 'x')),
      (client) => assert.rejects(client.line(), { code: 'SERVER_UNEXPECTED' }),
    )
  })

  it('logs in, through TLS where that is asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-client-'))
    const users = join(folder, 'users')
    writeFileSync(users, 'me:secret\n')
    const server = await startServer({
      'auth.file': users,
      'tls.enabled': 'true',
      'tls.cert': certificateFile('server'),
      'tls.ca': certificateFile('authority'),
    })
    try {
      const name = `127.0.0.1:${server.port}`
      const access = { tls: true, ca: certificateFile('authority'), authFile: users }
      const client = await ServerClient.open(readTarget(name, access), clock)
      await client.send('mn\r\n')
      assert.equal(await client.line(), 'MN')
      client.close()

      writeFileSync(users, 'me:wrong\n')
      const wrong = readTarget(name, access)
      await assert.rejects(ServerClient.open(wrong, clock), { code: 'LOGIN_REFUSED' })
      const unverified = readTarget(name, { tls: true })
      await assert.rejects(ServerClient.open(unverified, clock), { code: 'SERVER_UNREACHABLE' })
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
