/**
 * Where the page gets its figures: asks the server for a document again and again, and says what came of
 * it. It does not ask while nobody looks, and less often while there is no answer.
 *
 * The token goes in a header, never in an address: addresses end up in logs and in the history of the
 * browser. It is kept for this tab only, and no longer than the tab is open.
 */

export type Answer<Document> =
  | { readonly kind: 'document'; readonly document: Document }
  /** There is a token, and we have none or a wrong one. */
  | { readonly kind: 'locked'; readonly hadToken: boolean }
  | { readonly kind: 'gone'; readonly reason: string; readonly againInS: number }

const TOKEN_NAME = 'rat-memcached-token'
/** A server that has not answered by then is as good as gone. */
const PATIENCE_MS = 5000
/** How long after a failure it is tried again: twice as long after each, up to the last. */
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 15_000

export function readToken(): string {
  return sessionStorage.getItem(TOKEN_NAME) ?? ''
}

export function keepToken(token: string): void {
  if (token === '') sessionStorage.removeItem(TOKEN_NAME)
  else sessionStorage.setItem(TOKEN_NAME, token)
}

/** Asks the door for something, with the token if there is one. The path is relative to the page. */
export function ask(path: string): Promise<Response> {
  const token = readToken()
  return fetch(path, {
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
}

export class Source<Document> {
  readonly #path: string
  readonly #tell: (answer: Answer<Document>) => void
  #intervalMs: number
  #timer: number | undefined
  #failures = 0
  #isPaused = false
  /** Answers to older questions than this are not looked at. */
  #round = 0

  constructor(path: string, intervalMs: number, tell: (answer: Answer<Document>) => void) {
    this.#path = path
    this.#intervalMs = intervalMs
    this.#tell = tell
    document.addEventListener('visibilitychange', () => this.askNow())
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get intervalMs(): number {
    return this.#intervalMs
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.askNow()
  }

  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs
    this.askNow()
  }

  /** Asks at once, unless nobody looks, and then at intervals. */
  askNow(): void {
    clearTimeout(this.#timer)
    this.#round++
    if (!this.#isPaused && !document.hidden) void this.#askOnce(this.#round)
  }

  async #askOnce(round: number): Promise<void> {
    const startedMs = performance.now()
    const answer = await this.#answer()
    if (round !== this.#round) return
    this.#failures = answer.kind === 'gone' ? this.#failures + 1 : 0
    this.#tell(answer)
    // Until a token has come there is nothing to ask.
    if (answer.kind === 'locked') return
    const waitMs = answer.kind === 'gone' ? answer.againInS * 1000 : this.#intervalMs
    const leftMs = Math.max(0, waitMs - (performance.now() - startedMs))
    this.#timer = setTimeout(() => this.askNow(), leftMs)
  }

  async #answer(): Promise<Answer<Document>> {
    try {
      const response = await ask(this.#path)
      if (response.status === 401) return { kind: 'locked', hadToken: readToken() !== '' }
      if (!response.ok) return this.#gone(`it answers with status ${response.status}`)
      return { kind: 'document', document: await response.json() }
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === 'TimeoutError'
      return this.#gone(isLate ? 'it does not answer' : 'it cannot be reached')
    }
  }

  #gone(reason: string): Answer<Document> {
    const againMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures)
    return { kind: 'gone', reason, againInS: againMs / 1000 }
  }
}
