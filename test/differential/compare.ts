/**
 * Lays the replies of two servers side by side, byte for byte but for what the table of known
 * differences names. Cas numbers are each server's own: they have to fit one to one, always.
 */
import type { Frame } from '../helpers/frames.ts'
import { EXTRA_RULES, PIECE_RULES, WORD_RULES } from './known-differences.ts'
import type { Setting } from './known-differences.ts'
import { takeApart } from './replies.ts'
import type { LinePiece, Piece } from './replies.ts'
import type { Protocol } from './steps.ts'

/** What came back to a burst. */
export interface Reply {
  readonly bytes: Buffer
  /** The server has ended the connection. */
  readonly closed: boolean
  /** Its end was not seen in time. */
  readonly stuck: boolean
}

export class Comparison {
  readonly #setting: Setting
  readonly #ourCas = new Map<string, string>()
  readonly #theirCas = new Map<string, string>()
  /** Cas numbers that `gets` has shown, by key, the latest first. */
  readonly #shown = new Map<string, { readonly theirs: bigint; readonly ours: bigint }[]>()
  /** How often a rule was applied. */
  readonly applied: Map<string, number> = new Map()

  constructor(setting: Setting) {
    this.#setting = setting
  }

  casOf(whose: 'theirs' | 'ours', key: string, age: number): bigint | undefined {
    return this.#shown.get(key)?.[age]?.[whose]
  }

  /** What is different, in a sentence; undefined if nothing is. */
  difference(theirs: Reply, ours: Reply, protocol: Protocol): string | undefined {
    if (theirs.stuck !== ours.stuck) {
      return `${theirs.stuck ? 'memcached' : 'this server'} does not answer, the other one does`
    }
    if (theirs.closed !== ours.closed) {
      return `${theirs.closed ? 'memcached' : 'this server'} hangs up, the other one does not`
    }
    const theirPieces = this.#withoutExtras(takeApart(theirs.bytes, protocol))
    const ourPieces = takeApart(ours.bytes, protocol)
    // A connection that is closed with bytes unread is reset: the client may lose the last replies.
    const count =
      theirs.closed || theirs.stuck
        ? Math.min(wholes(theirPieces), wholes(ourPieces))
        : Math.max(theirPieces.length, ourPieces.length)
    for (let at = 0; at < count; at++) {
      const problem = this.#pieceDifference(theirPieces[at], ourPieces[at])
      if (problem !== undefined) return `reply ${at + 1}: ${problem}`
    }
    return undefined
  }

  #withoutExtras(pieces: readonly Piece[]): Piece[] {
    return pieces.filter((piece, at) => {
      const rule = EXTRA_RULES.find(({ isExtra }) => isExtra(piece, pieces[at - 1]))
      if (rule !== undefined) this.#apply(rule.name)
      return rule === undefined
    })
  }

  #pieceDifference(theirs: Piece | undefined, ours: Piece | undefined): string | undefined {
    if (theirs === undefined) return 'one more here than in memcached'
    if (ours === undefined) return 'one less here than in memcached'
    const same =
      theirs.kind === 'line' && ours.kind === 'line'
        ? this.#lineIsSame(theirs, ours)
        : theirs.kind === 'frame' && ours.kind === 'frame'
          ? theirs.dataType === ours.dataType && this.#frameIsSame(theirs.frame, ours.frame)
          : theirs.kind === 'rest' && ours.kind === 'rest' && theirs.text === ours.text
    if (same) return undefined
    const rule = PIECE_RULES.find(
      ({ before, may }) => this.#setting.version < (before ?? Infinity) && may(theirs, ours),
    )
    if (rule === undefined) return `${shown(ours)} here, ${shown(theirs)} in memcached`
    this.#apply(rule.name)
    return undefined
  }

  #lineIsSame(theirs: LinePiece, ours: LinePiece): boolean {
    if (theirs.value !== ours.value) return false
    const theirWords = theirs.line.split(' ')
    const ourWords = ours.line.split(' ')
    if (theirWords.length !== ourWords.length) return false
    const shows = theirWords[0] === 'VALUE' && theirWords.length === 5
    for (const [at, theirWord] of theirWords.entries()) {
      const ourWord = ourWords[at] ?? ''
      const isMeta = /^(?:HD|VA|EN|NF|NS|EX|ME)$/.test(theirWords[0] ?? '')
      const cas = shows && at === 4 ? /^()(\d+)$/ : isMeta && at > 0 ? /^(c|cas=)(\d+)$/ : /^()$/
      const [theirCas, ourCas] = [cas.exec(theirWord)?.[2], cas.exec(ourWord)?.[2]]
      if (theirCas !== undefined && ourCas !== undefined) {
        if (!this.#casFits(theirCas, ourCas)) return false
        if (shows) this.#note(theirWords[1] ?? '', BigInt(theirCas), BigInt(ourCas))
        continue
      }
      if (theirWord === ourWord) continue
      const rule = WORD_RULES.find(({ may }) => may(theirWord, ourWord, theirs.line, this.#setting))
      if (rule === undefined) return false
      this.#apply(rule.name)
    }
    return true
  }

  #frameIsSame(theirs: Frame, ours: Frame): boolean {
    return (
      theirs.magic === ours.magic &&
      theirs.opcode === ours.opcode &&
      theirs.status === ours.status &&
      theirs.opaque === ours.opaque &&
      theirs.extras.equals(ours.extras) &&
      theirs.key === ours.key &&
      theirs.value === ours.value &&
      this.#casFits(String(theirs.cas), String(ours.cas))
    )
  }

  /** Two numbers that stand for each other do so wherever they are met; 0 is none. */
  #casFits(theirs: string, ours: string): boolean {
    if (theirs === '0' || ours === '0') return theirs === ours
    const isNew = !this.#ourCas.has(theirs) && !this.#theirCas.has(ours)
    if (isNew) {
      this.#ourCas.set(theirs, ours)
      this.#theirCas.set(ours, theirs)
    }
    return this.#ourCas.get(theirs) === ours && this.#theirCas.get(ours) === theirs
  }

  #note(key: string, theirs: bigint, ours: bigint): void {
    const all = this.#shown.get(key) ?? []
    if (all[0]?.ours === ours) return
    all.unshift({ theirs, ours })
    all.length = Math.min(all.length, 3)
    this.#shown.set(key, all)
  }

  #apply(name: string): void {
    this.applied.set(name, (this.applied.get(name) ?? 0) + 1)
  }
}

function wholes(pieces: readonly Piece[]): number {
  return pieces.filter(({ kind }) => kind !== 'rest').length
}

const SHOWN_CHARACTERS_MAX = 160

function shown(piece: Piece): string {
  if (piece.kind === 'frame') {
    const { opcode, status, cas, key, value, extras } = piece.frame
    const fields = { opcode, status, cas: String(cas), extras: extras.toString('hex'), key, value }
    return JSON.stringify(fields).slice(0, SHOWN_CHARACTERS_MAX)
  }
  const text = piece.kind === 'line' ? `${piece.line} ${piece.value ?? ''}` : piece.text
  return JSON.stringify(text).slice(0, SHOWN_CHARACTERS_MAX)
}
