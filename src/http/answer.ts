/** What the side door says to a request. */

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers what stands behind a path; the query is what stands behind its question mark. */
export type Responder = (query: URLSearchParams) => Answer | Promise<Answer>

/** A few lines for people. */
export function textAnswer(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` }
}

export function jsonAnswer(status: number, document: unknown): Answer {
  const body = `${JSON.stringify(document)}\n`
  return { status, type: 'application/json; charset=utf-8', body }
}
