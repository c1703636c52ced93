/**
 * A memcached of the simplest kind, over a Map: as much of the text, meta and binary protocols as the benchmark speaks.
 * What it answers can be changed, to see that the benchmark finds it.
 */
import { createServer, type Server, type Socket } from 'node:net'

export type Items = Map<string, { flags: number; value: Buffer }>

/** The reply to one whole request, which is a line, a line with its value, or a frame. */
export type Answer = (request: Buffer, items: Items) => Buffer

const HEADER_BYTES = 24
const BINARY = 0x80
const OPCODE = { get: 0x00, set: 0x01, noop: 0x0a, getkq: 0x0d, setq: 0x11 }
const NOTHING = Buffer.alloc(0)

export function answer(request: Buffer, items: Items): Buffer {
  return request[0] === BINARY ? answerFrame(request, items) : answerLine(request, items)
}

/** Whether a request asks for items. */
export function isGet(request: Buffer): boolean {
  if (request[0] === BINARY) return request[1] === OPCODE.get || request[1] === OPCODE.getkq
  return /^(?:get|mg) /.test(request.toString('latin1', 0, 4))
}

export function listen(
  answerTo: Answer,
  onConnect: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const items: Items = new Map()
  const server = createServer((socket) => {
    let input = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      for (;;) {
        const bytes = requestBytes(input)
        if (input.length < bytes) return
        socket.write(answerTo(input.subarray(0, bytes), items))
        input = input.subarray(bytes)
      }
    })
    onConnect(socket)
  })
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else resolve({ server, port: address.port })
    })
  })
}

/** How long the first request is; more than there is if that can't be told yet. */
function requestBytes(input: Buffer): number {
  if (input[0] === BINARY)
    return HEADER_BYTES + (input.length < HEADER_BYTES ? 0 : input.readUInt32BE(8))
  const lineEnd = input.indexOf('\r\n')
  if (lineEnd < 0) return input.length + 1
  const words = input.toString('latin1', 0, lineEnd).split(' ')
  const place = { set: 4, ms: 2 }[words[0]!]
  return lineEnd + 2 + (place === undefined ? 0 : Number(words[place]) + 2)
}

function answerLine(request: Buffer, items: Items): Buffer {
  const lineEnd = request.indexOf('\r\n')
  const words = request.toString('latin1', 0, lineEnd).split(' ')
  const key = words[1]!
  const value = Buffer.from(request.subarray(lineEnd + 2, -2))
  switch (words[0]) {
    case 'get':
      return Buffer.concat([...words.slice(1).map((one) => textItem(one, items)), text('END\r\n')])
    case 'set':
      items.set(key, { flags: Number(words[2]), value })
      return words.at(-1) === 'noreply' ? NOTHING : text('STORED\r\n')
    case 'mg': {
      const item = items.get(key)
      if (item === undefined) return text('EN\r\n')
      return Buffer.concat([text(`VA ${item.value.length}\r\n`), item.value, text('\r\n')])
    }
    case 'ms':
      items.set(key, { flags: Number(words[3]!.slice(1)), value })
      return words.at(-1) === 'q' ? NOTHING : text('HD\r\n')
    default: {
      const counter = items.get(key)!
      counter.value = text(String(Number(counter.value) + Number(words[2])))
      return text(`${counter.value.toString()}\r\n`)
    }
  }
}

function textItem(key: string, items: Items): Buffer {
  const item = items.get(key)
  if (item === undefined) return NOTHING
  const head = text(`VALUE ${key} ${item.flags} ${item.value.length}\r\n`)
  return Buffer.concat([head, item.value, text('\r\n')])
}

function answerFrame(request: Buffer, items: Items): Buffer {
  const opcode = request[1]!
  const extrasEnd = HEADER_BYTES + request[4]!
  const keyEnd = extrasEnd + request.readUInt16BE(2)
  const key = request.toString('latin1', extrasEnd, keyEnd)
  switch (opcode) {
    case OPCODE.set:
    case OPCODE.setq: {
      const value = Buffer.from(request.subarray(keyEnd))
      items.set(key, { flags: request.readUInt32BE(HEADER_BYTES), value })
      return opcode === OPCODE.setq ? NOTHING : frame(request, { cas: items.size })
    }
    case OPCODE.noop:
      return frame(request, {})
    default: {
      const isQuiet = opcode === OPCODE.getkq
      const item = items.get(key)
      if (item === undefined)
        return isQuiet ? NOTHING : frame(request, { status: 1, value: text('Not found') })
      const extras = Buffer.alloc(4)
      extras.writeUInt32BE(item.flags)
      return frame(request, { cas: 5, extras, key: isQuiet ? key : '', value: item.value })
    }
  }
}

interface FrameParts {
  readonly status?: number
  readonly cas?: number
  readonly extras?: Buffer
  readonly key?: string
  readonly value?: Buffer
}

function frame(request: Buffer, parts: FrameParts): Buffer {
  const { status = 0, cas = 0, extras = NOTHING, key = '', value = NOTHING } = parts
  const body = Buffer.concat([extras, text(key), value])
  const header = Buffer.alloc(HEADER_BYTES)
  request.copy(header, 0, 0, 16)
  header[0] = 0x81
  header.writeUInt16BE(key.length, 2)
  header[4] = extras.length
  header.writeUInt16BE(status, 6)
  header.writeUInt32BE(body.length, 8)
  header.writeUInt32BE(cas, 20)
  return Buffer.concat([header, body])
}

function text(words: string): Buffer {
  return Buffer.from(words, 'latin1')
}
