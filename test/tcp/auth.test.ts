/** Logging in, over a socket: in text, in the binary protocol, and how often. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startServer } from '../helpers/server.ts'
import type { Settings, TestClient, TestServer } from '../helpers/server.ts'

const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated\r\n'
const FAILURE = 'CLIENT_ERROR authentication failure\r\n'
const HEADER_BYTES = 24

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'rat-auth-'))
})
after(() => rmSync(folder, { recursive: true }))

function serverWith(users: string, settings: Settings = {}): Promise<TestServer> {
  const file = join(folder, 'users')
  writeFileSync(file, users, 'latin1')
  return startServer({ 'auth.file': file, ...settings })
}

function login(credentials: string, head = 'set x 0 0'): string {
  return `${head} ${credentials.length}\r\n${credentials}\r\n`
}

/** A request of the binary protocol. */
function frame(opcode: number, key: string, value = ''): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = 0x80
  header[1] = opcode
  header.writeUInt16BE(key.length, 2)
  header.writeUInt32BE(key.length + value.length, 8)
  return Buffer.concat([header, Buffer.from(key + value, 'latin1')])
}

/** Sends a request of the binary protocol and takes the status of its reply. */
async function statusOf(client: TestClient, request: Buffer): Promise<number> {
  client.send(request)
  const header = await client.take(HEADER_BYTES)
  await client.take(header.readUInt32BE(8))
  return header.readUInt16BE(6)
}

describe('a text client of a server with users', () => {
  let server: TestServer
  // The last line has no line end; a password may have colons, spaces and bytes of any kind.
  before(async () => {
    const settings = { 'auth.max_failures_per_minute': '0' }
    server = await serverWith('# a comment\n\nme:secret\r\nyou:a:b c\u00ff\nlast:line', settings)
  })
  after(() => server.stop())

  it('gets nothing before it has logged in, and everything after', async () => {
    const client = await server.connect()
    for (const line of [
      'get a',
      'stats',
      'version',
      'mg a v',
      'set a 0 0',
      'mn    ',
      'flush_all',
    ]) {
      await client.ask(`${line}\r\n`, UNAUTHENTICATED)
    }
    await client.ask(login('me secret'), 'STORED\r\n')
    await client.ask('get x\r\n', 'END\r\n')
    await client.ask(
      'set x 0 0 9\r\nme secret\r\nget x\r\n',
      'STORED\r\nVALUE x 0 9\r\nme secret\r\nEND\r\n',
    )
    await client.ask('mg x v\r\n', 'VA 9\r\nme secret\r\n')
    client.destroy()
    const other = await server.connect()
    await other.ask('get x\r\n', UNAUTHENTICATED)
    other.destroy()
  })

  it('logs in with any user, in lines cut anywhere, and goes on in the same packet', async () => {
    for (const credentials of ['me secret', 'you a:b c\u00ff', 'last line']) {
      const client = await server.connect()
      await client.ask(`${login(credentials)}get none\r\n`, 'STORED\r\nEND\r\n')
      client.destroy()
    }
    const bytes = `${login('me wrong')}${login('last line', 'set  any  thing 9 ')}get none\r\n`
    for (let cut = 1; cut < bytes.length; cut++) {
      const client = await server.connect()
      client.send(bytes.slice(0, cut))
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      client.send(bytes.slice(cut))
      await client.expect(`${FAILURE}STORED\r\nEND\r\n`)
      client.destroy()
    }
  })

  it('is refused with another name, another password, or a part of either', async () => {
    const client = await server.connect()
    const wrong = [
      'me Secret',
      'me secre',
      'me secrets',
      'Me secret',
      'me  secret',
      'me ',
      ' secret',
    ]
    for (const credentials of [
      ...wrong,
      'mesecret ',
      'you a',
      'last line ',
      '# a',
      '# a comment',
    ]) {
      await client.ask(login(credentials), FAILURE)
    }
    client.destroy()
  })

  it('is told what is wrong with the form of its login', async () => {
    const client = await server.connect()
    await client.ask(login('mesecret'), 'CLIENT_ERROR bad authentication token format\r\n')
    await client.ask('set x 0 0 0\r\n\r\n', 'CLIENT_ERROR bad authentication token format\r\n')
    await client.ask('set x 0 0 9\r\nme secret..', 'CLIENT_ERROR bad command line termination\r\n')
    await client.ask('set x 0 0 nine\r\n', UNAUTHENTICATED)
    await client.ask('set x 0 0 -1\r\n', UNAUTHENTICATED)
    await client.ask('add x 0 0 9\r\nme secret\r\n', UNAUTHENTICATED + UNAUTHENTICATED)
    await client.ask(' set x 0 0 9\r\n', UNAUTHENTICATED)
    await client.ask('settle x 0 0 9\r\n', UNAUTHENTICATED)
    const long = login(`me ${'s'.repeat(2000)}`)
    await client.ask(long, 'CLIENT_ERROR authentication token too long\r\n')
    await client.ask(`set x 0 0 9 noreply\nme secret\r\n`, 'STORED\r\n')
    client.destroy()
  })

  it('is hung up on after a line that is too short or too long to be a login', async () => {
    for (const line of ['\r\n', 'quit\r\n', 'a'.repeat(3000)]) {
      const client = await server.connect()
      client.send(line)
      await client.closed()
      assert.equal(client.text, '')
    }
  })
})

describe('a binary client of a server with users', () => {
  it('logs in by SASL with the same users, on the port where others log in in text', async () => {
    const server = await serverWith('me:secret')
    const client = await server.connect()
    assert.equal(await statusOf(client, frame(0x21, 'PLAIN', '\0me\0wrong')), 0x20)
    assert.equal(await statusOf(client, frame(0x21, 'PLAIN', '\0me\0secret')), 0)
    assert.equal(await statusOf(client, frame(0x00, 'a')), 1)
    const text = await server.connect()
    await text.ask(login('me secret'), 'STORED\r\n')
    await server.stop()
  })
})

describe('where clients have to log in and there are no users', () => {
  it('nobody gets in', async () => {
    const server = await startServer({ 'auth.required': 'true' })
    const client = await server.connect()
    await client.ask('get a\r\n', UNAUTHENTICATED)
    await client.ask(login('me secret'), FAILURE)
    await server.stop()
  })
})

describe('logins that fail', () => {
  it('end their connection when there were too many', async () => {
    const server = await serverWith('me:secret', { 'auth.max_attempts': '3' })
    const text = await server.connect()
    text.send(login('me no').repeat(5) + login('me secret'))
    await text.closed()
    assert.equal(text.text, FAILURE.repeat(3))
    const binary = await server.connect()
    for (let i = 0; i < 3; i++) {
      assert.equal(await statusOf(binary, frame(0x21, 'PLAIN', '\0me\0no')), 0x20)
    }
    await binary.closed()
    const other = await server.connect()
    await other.ask(login('me no') + login('me secret'), `${FAILURE}STORED\r\n`)
    other.send('stats\r\nquit\r\n')
    await other.closed()
    assert.match(other.text, /STAT auth_cmds 8\r\nSTAT auth_errors 7\r\nSTAT auth_throttled 0\r\n/)
    await server.stop()
  })

  it('are not even looked at when there were too many from one address, whatever the connection', async () => {
    const server = await serverWith('me:secret', { 'auth.max_failures_per_minute': '3' })
    const early = await server.connect()
    await early.ask(login('me secret'), 'STORED\r\n')
    for (let i = 0; i < 3; i++) {
      const client = await server.connect()
      await client.ask(login('me no'), FAILURE)
      client.destroy()
    }
    const late = await server.connect()
    await late.ask(login('me secret'), FAILURE)
    early.send('stats\r\n')
    await early.until(() => early.text.endsWith('END\r\n'))
    assert.match(early.text, /STAT auth_cmds 5\r\nSTAT auth_errors 4\r\nSTAT auth_throttled 1\r\n/)
    await server.stop()
  })
})
