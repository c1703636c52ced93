/**
 * The side door: an HTTP server on an address of its own, for people and programs that look after this one.
 *
 * It only reads, and it can take little from the cache: few connections, small requests, GET and HEAD only,
 * so many answers a second, each of bounded size. Nothing that goes wrong here goes further than its answer.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { ServerError } from '../errors.ts'
import type { Clock } from '../observe/clock.ts'
import type { Logger } from '../observe/log.ts'
import { Access } from './access.ts'
import { textAnswer } from './answer.ts'
import type { Answer, Responder } from './answer.ts'

const CONNECTIONS_MAX = 64
const HEADER_BYTES_MAX = 8192
/** A request has to be whole after this, and the next one to come within this. */
const PATIENCE_MS = 5000
const CHECK_INTERVAL_MS = 1000
const REQUESTS_PER_SOCKET_MAX = 1000
/** A page that asks once a second and a few that scrape need a tenth of it. */
const ANSWERS_PER_S_MAX = 100
/** Asked for by who has no token to send, and no way to wait: a probe that fails may cost a restart. */
const OPEN_PATHS: readonly string[] = ['/healthz', '/readyz']
/** Holds no figure: the page asks who looks at it for the token, and brings it for what it shows. */
const PAGE_PATH = '/'

const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

export interface DoorOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Empty: none is asked for. */
  readonly token: string
}

export class SideDoor {
  readonly #options: DoorOptions
  readonly #responders: ReadonlyMap<string, Responder>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #access: Access
  readonly #server: Server
  #secondMs = -Infinity
  #answersLeft = 0

  constructor(
    options: DoorOptions,
    responders: ReadonlyMap<string, Responder>,
    clock: Clock,
    log: Logger,
  ) {
    this.#options = options
    this.#responders = responders
    this.#clock = clock
    this.#log = log
    this.#access = new Access(options.host, options.token)
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: PATIENCE_MS,
        requestTimeout: PATIENCE_MS,
        keepAliveTimeout: PATIENCE_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxConnections = CONNECTIONS_MAX
    this.#server.maxRequestsPerSocket = REQUESTS_PER_SOCKET_MAX
  }

  /** Resolves to the address that is bound. Rejects with CANNOT_BIND. */
  open(): Promise<string> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const message = `cannot listen on ${host}:${port} (metrics.bind): ${cause.message}`
        reject(new ServerError('CANNOT_BIND', message, cause))
      })
      this.#server.listen(host === '' ? { port } : { port, host }, () => {
        this.#server.removeAllListeners('error')
        this.#server.on('error', (err) => this.#log.error({ err }, 'the side door failed'))
        const bound = this.#server.address()
        if (bound === null || typeof bound === 'string') return
        const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
        resolve(`${name}:${bound.port}`)
      })
    })
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      answer = await this.#answer(request)
    } catch (err) {
      this.#log.error({ err }, 'the side door cannot answer')
      answer = textAnswer(500, 'this is a bug; the log has more')
    }
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
    response.writeHead(answer.status, {
      ...COMMON_HEADERS,
      'content-type': answer.type,
      'content-length': body.length,
      // What comes with a request that should have no body is not waited for.
      ...(hasBody(request) ? { connection: 'close' } : {}),
      ...answer.headers,
    })
    response.end(body)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { headers, method, url = '/' } = request
    if (method !== 'GET' && method !== 'HEAD') {
      return { ...textAnswer(405, 'GET and HEAD only'), headers: { allow: 'GET, HEAD' } }
    }
    if (!this.#access.isMeant(headers.host)) {
      return textAnswer(421, 'ask by a name of this machine, such as localhost')
    }
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (!OPEN_PATHS.includes(path)) {
      if (!this.#hasAnswersLeft()) {
        return { ...textAnswer(429, 'too many requests'), headers: { 'retry-after': '1' } }
      }
      if (path !== PAGE_PATH && !this.#access.isAllowed(headers.authorization)) {
        const refusal = textAnswer(401, 'bring metrics.token as a Bearer token')
        return { ...refusal, headers: { 'www-authenticate': 'Bearer' } }
      }
    }
    const responder = this.#responders.get(path)
    return responder === undefined
      ? textAnswer(404, 'there is nothing of this name')
      : responder(new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)))
  }

  #hasAnswersLeft(): boolean {
    const nowMs = this.#clock.elapsedMs()
    if (nowMs - this.#secondMs >= 1000) {
      this.#secondMs = nowMs
      this.#answersLeft = ANSWERS_PER_S_MAX
    }
    return this.#answersLeft-- > 0
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}
