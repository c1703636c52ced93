/** What the side door answers, put together: who asks what. */
import type { CommandContext } from '../commands/context.ts'
import { parseListenAddress } from '../config/listen-address.ts'
import { defaultConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { ServerError, assert } from '../errors.ts'
import type { Logger } from '../observe/log.ts'
import { LoopDelay } from '../observe/loop-delay.ts'
import { jsonAnswer, textAnswer } from './answer.ts'
import type { Responder } from './answer.ts'
import { SideDoor } from './door.ts'
import { frontResponders } from './front.ts'
import { keyAnswer } from './key-report.ts'
import { PrometheusReport } from './prometheus.ts'
import type { ReadinessWatch } from './readiness.ts'
import { statsDocument } from './stats-report.ts'
import type { ReportSources } from './stats-report.ts'

/** The side door of a server, open. */
export interface OpenSideDoor {
  /** "127.0.0.1:9150" */
  readonly address: string
  close(): Promise<void>
}

/**
 * Opens `metrics.bind` of the configuration that `inForce` gives, which may be another later. Resolves to null where the default address is taken: then another server of this
 * machine has it, and this one goes without. Rejects with CANNOT_BIND for any other.
 */
export async function openSideDoor(
  inForce: () => Config,
  context: CommandContext,
  readiness: ReadinessWatch,
  log: Logger,
): Promise<OpenSideDoor | null> {
  const { bind, token } = inForce().metrics
  const address = parseListenAddress(bind)
  assert(address?.kind === 'tcp', 'the configuration has checked metrics.bind')
  const { clock } = context
  const loopDelay = new LoopDelay(clock)
  const responders = respondersOf(inForce, context, readiness, loopDelay)
  const door = new SideDoor({ ...address, token }, responders, clock, log)
  try {
    const bound = await door.open()
    log.info({ address: bound }, 'the side door is open')
    return {
      address: bound,
      async close() {
        loopDelay.stop()
        await door.close()
      },
    }
  } catch (error) {
    loopDelay.stop()
    if (!(error instanceof ServerError) || bind !== defaultConfig().metrics.bind) throw error
    log.warn(
      { reason: error.message },
      'there is no side door: metrics.bind is taken; give it an address of its own, or none',
    )
    return null
  }
}

function respondersOf(
  inForce: () => Config,
  context: CommandContext,
  readiness: ReadinessWatch,
  loopDelay: LoopDelay,
): ReadonlyMap<string, Responder> {
  const sources: ReportSources = {
    context,
    get config() {
      return inForce()
    },
    loopDelay,
    readiness: () => readiness.read(),
  }
  const prometheus = new PrometheusReport(sources)
  return new Map<string, Responder>([
    ...frontResponders(),
    ['/healthz', () => textAnswer(200, 'ok')],
    ['/readyz', () => readyAnswer(readiness)],
    ['/metrics', () => prometheus.answer()],
    ['/stats.json', () => jsonAnswer(200, statsDocument(sources))],
    ['/key', (query) => keyAnswer(context, query, sources.config.metrics.valuesAllowed)],
  ])
}

/** 200 or 503, with the reasons, one a line. */
function readyAnswer(readiness: ReadinessWatch): ReturnType<typeof textAnswer> {
  const { ready, reasons } = readiness.read()
  return ready ? textAnswer(200, 'ready') : textAnswer(503, reasons.join('\n'))
}
