/** What stands at `/`: the page, or where that was not built, what there is to ask for. */
import { textAnswer } from './answer.ts'
import type { Responder } from './answer.ts'
import { readPage } from './page.ts'

const LIST = `rat-memcached

/metrics      for Prometheus
/stats.json   everything, as one document
/key?key=K    what is known about one item
/healthz      whether the server lives
/readyz       whether clients should be sent to it

The page that stands here otherwise was not built: npm run build`

/** Reads the page once. */
export function frontResponders(): ReadonlyMap<string, Responder> {
  const page = readPage()
  const answer =
    page === null
      ? textAnswer(200, LIST)
      : { status: 200, type: 'text/html; charset=utf-8', ...page }
  return new Map([['/', () => answer]])
}
