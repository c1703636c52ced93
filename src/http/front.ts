/** What stands at `/`: what there is to ask for. */
import { textAnswer } from './answer.ts'
import type { Responder } from './answer.ts'

const LIST = `rat-memcached

/metrics      for Prometheus
/stats.json   everything, as one document
/key?key=K    what is known about one item
/healthz      whether the server lives
/readyz       whether clients should be sent to it`

export const FRONT: ReadonlyMap<string, Responder> = new Map([['/', () => textAnswer(200, LIST)]])
