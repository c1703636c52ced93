/** Classic text commands, sound and broken. */
import type { Draw } from './draw.ts'
import { command } from './steps.ts'
import type { Command } from './steps.ts'
import type { Vocabulary } from './vocabulary.ts'

const STORAGE = ['set', 'set', 'set', 'set', 'add', 'replace', 'append', 'prepend', 'cas'] as const
const NOREPLY_SHARE = 0.1
/**
 * Bytes that a slip may put in. No sign, no tab and no zero byte: servers differ there on purpose. No
 * space: it would make another number an expiry, one of a few seconds. No digit: a key would be one of
 * another connection, which may change it at the same time.
 */
const SLIPS = '\r\n:abgkmst\x80\xff'
/** In a long key, slips are near its start. */
const SLIP_AT_MAX = 60
/** A `get` of so many keys is longer than any other line may be. */
const MANY_KEYS = 600

/** What is said to the server, with answers that do not depend on what it holds or has done. */
const BESIDE_EXACTLY = [
  'slabs',
  'slabs reassign 1 1',
  'slabs reassign 0 1',
  'slabs reassign 1 99',
  'slabs automove 0',
  'slabs automove 3',
  'slabs automove invalid',
  'lru tune 10 25 0.1 2.0',
  'lru tune 60 60 0.1 2.0',
  'lru tune a b c d',
  'lru mode x noreply',
  'lru temp_ttl x',
  'cache_memlimit',
  'cache_memlimit 7',
  'cache_memlimit x',
  'cache_memlimit 2000000000',
  'stats sizes',
  'stats sizes_enable',
  'stats detail x',
  'stats detail off',
  'stats cachedump 1',
  'stats cachedump 64 0',
  'stats cachedump x 0',
  'extstore',
  'extstore x 1',
  'refresh_certs',
  'misbehave',
  'lru_crawler',
  'lru_crawler x',
  'shutdown x noreply',
  ' noreply',
  'noreply',
  '  slabs',
  ' cache_memlimit x',
  ' verbosity x noreply',
  ' stats sizes',
] as const

/** One command about keys of `lane`. */
export function textCommand(draw: Draw, words: Vocabulary, lane: number): Command {
  return draw.weighted([
    [40, () => storage(draw, words, lane)],
    [34, () => retrieval(draw, words, lane)],
    [8, () => arithmetic(draw, words, lane)],
    [5, () => line('touch', words.key(lane), words.exptime(), noreply(draw))],
    [
      4,
      () =>
        line(
          'delete',
          words.key(lane),
          draw.of(words.isExact ? ['', '', '0', '10'] : ['', '0']),
          noreply(draw),
        ),
    ],
    [words.mayBeLines ? 10 : 0, () => brokenStorage(draw, words, lane)],
    [words.isExact ? 4 : 0, () => brokenLine(draw, words, lane)],
    [words.mayBeLines ? 8 : 0, () => slipped(draw, textCommandToSlip(draw, words, lane))],
    [2, () => beside(draw, words)],
    [0.15, () => flush(draw)],
    [0.1, () => ending(draw)],
  ])
}

/** A storage command under a cas number that the key had, or has. */
export function casCommand(draw: Draw, words: Vocabulary, key: string): Command {
  const value = words.value()
  const head = `cas ${key} ${words.flags()} ${words.exptime()} ${value.length} `
  const cas = { key, age: draw.of([0, 0, 0, 1, 2]), form: 'digits' } as const
  return command(head, cas, `${noreply(draw) === '' ? '' : ' noreply'}\r\n${value}\r\n`)
}

/** Shows the cas number of a key. */
export function showCas(key: string): Command {
  return line('gets', key)
}

function line(...tokens: readonly string[]): Command {
  return command(`${tokens.filter((token) => token !== '').join(' ')}\r\n`)
}

function noreply(draw: Draw): string {
  return draw.chance(NOREPLY_SHARE) ? 'noreply' : ''
}

function storage(draw: Draw, words: Vocabulary, lane: number): Command {
  const verb = draw.of(STORAGE)
  const value = words.value()
  const cas = verb === 'cas' ? draw.of(['0', '987654321', '18446744073709551615']) : ''
  const head = [verb, words.key(lane), words.flags(), words.exptime(), String(value.length), cas]
  const lineEnd = draw.chance(0.05) ? '\n' : '\r\n'
  const text = [...head, noreply(draw)].filter((token) => token !== '').join(' ')
  return command(`${text}${lineEnd}${value}\r\n`)
}

function retrieval(draw: Draw, words: Vocabulary, lane: number): Command {
  const verb = draw.of(['get', 'get', 'get', 'gets', 'gat', 'gats'])
  // What may be slipped in has to stay a line that is short, whatever becomes of its first word.
  const isLong = verb === 'get' && !words.mayBeLines && draw.chance(0.01)
  const count = isLong ? MANY_KEYS : draw.chance(0.6) ? 1 : draw.between(2, 7)
  const keys = Array.from({ length: count }, () => words.key(lane))
  return line(verb, verb.startsWith('gat') ? words.exptime() : '', ...keys)
}

function arithmetic(draw: Draw, words: Vocabulary, lane: number): Command {
  return line(draw.of(['incr', 'decr']), words.key(lane), words.delta(), noreply(draw))
}

/** A number that is none, a length that is not that of the value, or a key too long. */
function brokenStorage(draw: Draw, words: Vocabulary, lane: number): Command {
  const verb = draw.of(STORAGE)
  const value = words.value()
  const head = [verb, words.key(lane), words.flags(), words.exptime(), String(value.length)]
  if (verb === 'cas') head.push('987654321')
  const kind = draw.below(8)
  if (kind < 4) head[draw.between(2, head.length - 1)] = words.wrongNumber()
  else if (kind === 4) head[1] = words.wrongKey()
  else if (kind === 5) head[4] = String(Math.max(0, value.length + draw.between(-3, 3)))
  else if (kind === 6) head.length = draw.between(1, head.length)
  else head.push(draw.of(['x', 'norepl', 'x noreply', '1 2 3']))
  return command(`${head.join(' ')} ${noreply(draw)}\r\n${value}\r\n`)
}

/** Tokens too few, too many, or wrong. */
function brokenLine(draw: Draw, words: Vocabulary, lane: number): Command {
  const key = words.key(lane)
  const wrong = words.oddNumber()
  return draw.weighted([
    [1, () => line(draw.of(['get', 'gets', 'gat', 'gats', 'touch', 'incr', 'decr', 'delete']))],
    [1, () => line(draw.of(['gat', 'gats', 'touch', 'incr', 'decr']), key)],
    [2, () => line(draw.of(['incr', 'decr']), key, wrong, noreply(draw))],
    [2, () => line('touch', key, wrong, noreply(draw))],
    [2, () => line(draw.of(['gat', 'gats']), wrong, key)],
    [1, () => line('get', key, words.wrongKey(), key)],
    [1, () => line(draw.of(['delete', 'touch', 'incr']), words.wrongKey(), '100000')],
    [1, () => line('delete', key, draw.of(['x', '0 0', 'noreply x', 'x noreply']))],
    [1, () => command(draw.of(['\r\n', '\n', ' \r\n', 'a\r\n', '\t\r\n', '\r\r\n', ' get a\r\n']))],
    [1, () => line(draw.of(['GET', 'Set', 'gett', 'sets', 'ge', 'incrr', 'xyz', 'm', 'mx']), key)],
    [1, () => command(`get  ${key}   ${words.key(lane)} \r\n`)],
    [1, () => command(`${draw.of(['get', 'gets'])} ${key}\n`)],
  ])
}

function textCommandToSlip(draw: Draw, words: Vocabulary, lane: number): Command {
  return draw.weighted([
    [3, () => storage(draw, words, lane)],
    [2, () => retrieval(draw, words, lane)],
    [1, () => arithmetic(draw, words, lane)],
    [1, () => line('touch', words.key(lane), words.exptime())],
    [1, () => line('delete', words.key(lane))],
  ])
}

/** A few bytes of the first two words changed, lost or put in. */
export function slipped(draw: Draw, { parts }: Command): Command {
  const [head, ...rest] = parts
  if (typeof head !== 'string') return { parts }
  let text = head
  for (let slips = draw.between(1, 2); slips > 0; slips--) {
    const [words = ''] = /^\S* *\S*/.exec(text) ?? []
    const at = draw.below(Math.min(words.length, SLIP_AT_MAX))
    const inserted = draw.chance(0.5) ? SLIPS.charAt(draw.below(SLIPS.length)) : ''
    text = text.slice(0, at) + inserted + text.slice(at + draw.below(2))
  }
  return { parts: [text, ...rest] }
}

/** Commands about no key. */
function beside(draw: Draw, words: Vocabulary): Command {
  return line(
    draw.of([
      'version',
      'version x',
      'verbosity 0',
      'verbosity',
      'verbosity x',
      'verbosity 0 noreply',
      ...(words.isExact ? BESIDE_EXACTLY : []),
      'stats nosuch',
      'stats reset',
      'shutdown',
      'mn',
      'mn x',
      'flush_all x',
    ]),
  )
}

function flush(draw: Draw): Command {
  return line('flush_all', draw.of(['', '0', '-1', 'noreply', '0 noreply']))
}

/** What ends the connection. */
function ending(draw: Draw): Command {
  return line(draw.of(['quit', 'quit x', 'GET / HTTP/1.1', 'xyz HTTP/1.0']))
}
