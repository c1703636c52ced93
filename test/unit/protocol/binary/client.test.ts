/** The binary protocol through a socket: batches, large values, two protocols on one port, logging in. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { loadConfig } from '../../../../src/config/load.ts'
import { createLoggerTo } from '../../../../src/observe/log.ts'
import { createServer } from '../../../../src/server.ts'
import { CasLetters, readFrames, replyLine, requestFrame } from '../../../helpers/frames.ts'
import { connectClient, startServer } from '../../../helpers/server.ts'
import type { TestClient, TestServer } from '../../../helpers/server.ts'

function frames(...lines: string[]): Buffer {
  return Buffer.concat(lines.map((line) => requestFrame(line, () => 0n)))
}

/** Sends frames at once and takes `count` replies, as lines without their cas numbers. */
async function ask(client: TestClient, count: number, ...lines: string[]): Promise<string[]> {
  client.send(frames(...lines))
  return takeLines(client, count)
}

async function takeLines(client: TestClient, count: number): Promise<string[]> {
  const lines: string[] = []
  while (lines.length < count) {
    const bodyBytes = await client
      .until(() => client.length >= 24 || client.ended)
      .then(() => Buffer.from(client.text.slice(8, 12), 'latin1').readUInt32BE())
    const { frames: all } = readFrames(await client.take(24 + bodyBytes))
    lines.push(replyLine(all[0]!, new CasLetters()).replace(/ cas=\w$/, ''))
  }
  return lines
}

function login(message: string, mechanism = 'PLAIN', command = 'SASL_AUTH'): string {
  return `#5 ${command} key=${mechanism} value=${JSON.stringify(message)}`
}

describe('a client of the binary protocol', () => {
  let server: TestServer
  let client: TestClient

  before(async () => {
    server = await startServer({ 'server.max_commands_per_turn': '1000' })
    client = await server.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('has a batch of quiet gets answered by one write', async () => {
    const sets = Array.from({ length: 50 }, (_, i) => `#${i} SETQ key=k${i} value=v${i}`)
    assert.deepEqual(await ask(client, 1, ...sets, '#99 NOOP'), ['#99 NOOP ok'])
    let reads = 0
    const count = (): void => {
      reads++
    }
    client.socket.on('data', count)
    const gets = Array.from({ length: 100 }, (_, i) => `#${i} GETKQ key=k${i}`)
    const found = Array.from(
      { length: 50 },
      (_, i) => `#${i} GETKQ ok flags=0x0 key=k${i} value=v${i}`,
    )
    assert.deepEqual(await ask(client, 51, ...gets, '#100 NOOP'), [...found, '#100 NOOP ok'])
    client.socket.off('data', count)
    assert.equal(reads, 1)
  })

  it('gets large values whole, between small ones, though they are replaced meanwhile', async () => {
    const [x, y] = ['"x"*900000', '"y"*900000']
    const lines = await ask(
      client,
      5,
      `#1 SETQ key=big value=${x}`,
      '#2 GETK key=big',
      '#3 NOOP',
      `#4 SETQ key=big value=${y}`,
      '#5 GETQ key=big',
      '#6 DELETEQ key=big',
      '#7 GETKQ key=big',
      '#8 GET key=big',
      '#9 NOOP',
    )
    assert.deepEqual(lines, [
      `#2 GETK ok flags=0x0 key=big value=${x}`,
      '#3 NOOP ok',
      `#5 GETQ ok flags=0x0 value=${y}`,
      '#8 GET 0x01 value="Not found"',
      '#9 NOOP ok',
    ])
  })

  it('finds what a client of the text protocol has stored, and the other way round', async () => {
    const text = await server.connect()
    await text.ask('set shared 7 0 3\r\nabc\r\n', 'STORED\r\n')
    assert.deepEqual(await ask(client, 2, '#1 GET key=shared', '#2 APPEND key=shared value=d'), [
      '#1 GET ok flags=0x7 value=abc',
      '#2 APPEND ok',
    ])
    await text.ask('get shared\r\n', 'VALUE shared 7 4\r\nabcd\r\nEND\r\n')
    text.destroy()
  })

  it('counts as a client of the text protocol does', async () => {
    const names = [
      'cmd_get get_hits get_misses cmd_set cmd_touch touch_hits touch_misses delete_hits delete_misses',
      'incr_hits incr_misses decr_hits decr_misses cas_hits cas_misses cas_badval cmd_flush',
    ].flatMap((line) => line.split(' '))
    const earlier = await server.stats()
    await ask(
      client,
      14,
      '#1 SET key=c value=1',
      '#2 GET key=c',
      '#3 GETK key=none',
      '#4 GETQ key=none',
      '#5 TOUCH key=c',
      '#6 GAT key=c',
      '#7 GATK key=none',
      '#8 INCR key=c',
      '#9 INCR exptime=0xffffffff key=none',
      '#10 INCR key=made',
      '#11 DECR key=c',
      '#12 SET cas=1 key=c value=x',
      '#13 SET cas=1 key=none value=x',
      '#15 DELETE key=c',
      '#16 DELETE key=c',
    ).then((lines) => assert.equal(lines.length, 14))
    const later = await server.stats()
    assert.deepEqual(
      Object.fromEntries(names.map((name) => [name, later.get(name)! - earlier.get(name)!])),
      {
        cmd_get: 3,
        get_hits: 1,
        get_misses: 2,
        cmd_set: 3,
        cmd_touch: 3,
        touch_hits: 2,
        touch_misses: 1,
        delete_hits: 1,
        delete_misses: 1,
        incr_hits: 1,
        incr_misses: 1,
        decr_hits: 1,
        decr_misses: 0,
        cas_hits: 0,
        cas_misses: 1,
        cas_badval: 1,
        cmd_flush: 0,
      },
    )
  })

  it('gets the same statistics as a client of the text protocol', async () => {
    for (const argument of ['', 'settings']) {
      const text = await server.connect()
      text.send(`stats ${argument}\r\n`)
      await text.until(() => text.text.endsWith('END\r\n'))
      const names = [...text.text.matchAll(/^STAT (\S+) /gm)].map(([, name]) => name)
      text.destroy()
      client.send(frames(argument === '' ? '#1 STAT' : `#1 STAT key=${argument}`))
      const lines = await takeLines(client, names.length + 1)
      assert.ok(names.length > 20)
      assert.deepEqual(
        lines.map((line) => /^#1 STAT ok(?: key=(\S+) value=\S+)?$/.exec(line)?.[1]),
        [...names, undefined],
      )
    }
  })

  it('is not made to wait, nor to take memory, by lengths that are lies', async () => {
    const lies = [
      '#1 SET key=a bodybytes=4294967295',
      '#1 APPENDQ key=a bodybytes=4294967295',
      '#1 GET key=a bodybytes=4294967295',
      '#1 SET key=abc value=x bodybytes=5',
      '#1 GET key=a keybytes=65535 bodybytes=65535',
    ]
    for (const lie of lies) {
      const liar = await server.connect()
      liar.send(frames(lie))
      await liar.closed()
      assert.match((await takeLines(liar, 1))[0]!, /0x0[34]|0x81/, lie)
      liar.destroy()
    }
    assert.deepEqual(await ask(client, 1, '#1 NOOP'), ['#1 NOOP ok'])
  })
})

describe('a client of the binary protocol whose value finds no room', () => {
  it('is told so, also where the value is empty', async () => {
    const server = await startServer({
      'l1.max_memory': '1MB',
      'l1.evictions': 'false',
      'server.max_item_size': '100KB',
    })
    const client = await server.connect()
    let status = 'ok'
    for (let i = 0; status === 'ok'; i++) {
      const lines = await ask(client, 1, `#1 SET key=k${i} value="v"*10000`)
      status = lines[0]!.split(' ')[2]!
    }
    assert.equal(status, '0x82')
    const key = '"k"*250'
    assert.deepEqual(
      await ask(
        client,
        4,
        `#1 SET key=${key}`,
        `#2 ADDQ key=${key}`,
        `#3 INCR key=${key}`,
        '#4 NOOP',
      ),
      [
        '#1 SET 0x82 value="Out of memory allocating item"',
        '#2 ADDQ 0x82 value="Out of memory allocating item"',
        '#3 INCR 0x82 value="Out of memory incrementing value"',
        '#4 NOOP ok',
      ],
    )
    client.destroy()
    await server.stop()
  })
})

describe('a server with users', () => {
  const overrides = [
    { key: 'server.bind', value: '127.0.0.1:0', option: 'of the test' },
    { key: 'l2.enabled', value: 'false', option: 'of the test' },
    { key: 'server.protocol', value: 'binary', option: 'of the test' },
  ]
  const log = createLoggerTo({ write: () => undefined }, 'silent', false)
  const server = createServer(loadConfig({ env: {}, overrides }), log, {
    authenticator: {
      accepts: ({ buffer }, nameStart, nameEnd, passwordStart, passwordEnd) =>
        buffer.toString('latin1', nameStart, nameEnd) === 'me' &&
        buffer.toString('latin1', passwordStart, passwordEnd) === 'secret',
    },
  })
  let port = 0

  before(async () => {
    const [address] = await server.listen()
    port = Number(address!.split(':')[1])
  })
  after(() => server.stop())

  function connect(): Promise<TestClient> {
    return connectClient({ port, host: '127.0.0.1' })
  }
  it('says how to log in and which version it is, and hangs up on everything else', async () => {
    const client = await connect()
    assert.deepEqual(await ask(client, 2, '#1 SASL_LIST', '#2 VERSION'), [
      '#1 SASL_LIST ok value=PLAIN',
      '#2 VERSION ok value=1.6.45',
    ])
    assert.deepEqual(await ask(client, 1, '#3 SETQ key=a value=x', '#4 NOOP'), [
      '#3 SETQ 0x20 value="Auth failure."',
    ])
    await client.closed()
    const text = await connect()
    text.send('get a\r\n')
    await text.closed()
    assert.equal(text.text, '')
  })

  it('refuses wrong names, passwords, mechanisms and messages, and lets the client try again', async () => {
    const client = await connect()
    const wrong = [
      login('\0me\0Secret'),
      login('\0me\0secret\0'),
      login('\0me\0'),
      login('\0Me\0secret'),
      login('me\0secret'),
      login('\0me'),
      login(''),
      login('\0me\0secret', 'CRAM-MD5'),
      login('\0me\0secret', 'plain'),
      login('\0me\0secre', 'PLAIN', 'SASL_STEP'),
    ]
    for (const line of wrong) {
      const [said] = await ask(client, 1, line)
      assert.match(said!, /^#5 SASL_\w+ 0x20 value="Auth failure."$/, line)
    }
    const [said] = await ask(client, 1, login('x', 'X'.repeat(40)))
    assert.equal(said, '#5 SASL_AUTH 0x04 value="Invalid arguments"')
    assert.deepEqual(await ask(client, 1, login('\0me\0secret', 'PLAIN', 'SASL_STEP')), [
      '#5 SASL_STEP ok value=Authenticated',
    ])
    client.destroy()
  })

  it('does everything for a client that has logged in, from its next command on', async () => {
    const client = await connect()
    const lines = ['#6 SETQ key=a value=x', '#7 GET key=a', '#8 SASL_LIST', '#9 NOOP']
    assert.deepEqual(await ask(client, 4, login('as\0me\0secret'), ...lines), [
      '#5 SASL_AUTH ok value=Authenticated',
      '#7 GET ok flags=0x0 value=x',
      '#8 SASL_LIST ok value=PLAIN',
      '#9 NOOP ok',
    ])
    assert.deepEqual(await ask(client, 1, login('\0me\0wrong')), [
      '#5 SASL_AUTH 0x20 value="Auth failure."',
    ])
    const other = await connect()
    assert.deepEqual(await ask(other, 1, '#1 GET key=a'), ['#1 GET 0x20 value="Auth failure."'])
    client.destroy()
  })
})
