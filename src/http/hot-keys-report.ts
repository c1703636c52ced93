/** Hot keys and prefixes in `/stats.json`. */
import type { CommandContext } from '../commands/context.ts'
import { HOT_KEYS_SHOWN_MAX, prefixReports } from '../commands/prefix-report.ts'
import type { Ranking } from '../observe/hot-keys.ts'
import { keyName } from './key-name.ts'
import type { HotKey, HotKeysDocument, PrefixDocument } from './stats-document.ts'

/** Null where keys are not sampled. */
export function hotKeysDocument({ watchers }: CommandContext): HotKeysDocument | null {
  const { sample } = watchers
  if (sample === null) return null
  const top = (ranking: Ranking): HotKey[] =>
    sample.hot
      .top(ranking, HOT_KEYS_SHOWN_MAX)
      .map(({ key, count, error }) => ({ ...keyName(key), count, error }))
  return {
    windowS: sample.hot.windowMs / 1000,
    sampleEvery: sample.every,
    reads: top('reads'),
    writes: top('writes'),
    bytes: top('bytes'),
    misses: top('misses'),
  }
}

export function prefixDocuments(context: CommandContext): PrefixDocument[] {
  return prefixReports(context).map(({ prefix, gets, hits, ...others }) => {
    const { key, isBase64 } = keyName(prefix)
    return { prefix: key, isBase64, gets, hits, misses: gets - hits, ...others }
  })
}
