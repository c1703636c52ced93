/**
 * Replies taken apart so that those of two servers can be laid side by side: lines with the value that
 * follows them, or frames of the binary protocol. Nothing is lost: what cannot be read is one piece.
 */
import { readFrames } from '../helpers/frames.ts'
import type { Frame } from '../helpers/frames.ts'
import type { Protocol } from './steps.ts'

/** One line without its end, and the value behind it, if it announces one. */
export interface LinePiece {
  readonly kind: 'line'
  readonly line: string
  readonly value: string | undefined
}

export interface FramePiece {
  readonly kind: 'frame'
  readonly frame: Frame
  /** The byte of the header that is to be 0. */
  readonly dataType: number
}

/** Bytes that are no whole reply. */
export interface RestPiece {
  readonly kind: 'rest'
  readonly text: string
}

export type Piece = LinePiece | FramePiece | RestPiece

export function takeApart(bytes: Buffer, protocol: Protocol): Piece[] {
  return protocol === 'text' ? lines(bytes) : frames(bytes)
}

/** In the header of a frame. */
const HEADER_BYTES = 24
const DATA_TYPE_AT = 5
const BODY_BYTES_AT = 8

const ANNOUNCES_VALUE = /^(?:VALUE \S* \d+|VA) (\d+)(?: |$)/

function lines(bytes: Buffer): Piece[] {
  const text = bytes.toString('latin1')
  const pieces: Piece[] = []
  let at = 0
  while (at < text.length) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) {
      pieces.push({ kind: 'rest', text: text.slice(at) })
      break
    }
    const line = text.slice(at, end)
    const length = announced(line)
    at = end + 2
    if (length === undefined) {
      pieces.push({ kind: 'line', line, value: undefined })
      continue
    }
    if (text.length < at + length + 2) {
      pieces.push({ kind: 'rest', text: text.slice(at - 2 - line.length) })
      break
    }
    pieces.push({ kind: 'line', line, value: text.slice(at, at + length + 2) })
    at += length + 2
  }
  return pieces
}

function announced(line: string): number | undefined {
  const length = ANNOUNCES_VALUE.exec(line)?.[1]
  return length === undefined ? undefined : Number(length)
}

function frames(bytes: Buffer): Piece[] {
  const read = readFrames(bytes)
  let at = 0
  const pieces: Piece[] = read.frames.map((frame) => {
    const dataType = bytes.readUInt8(at + DATA_TYPE_AT)
    at += HEADER_BYTES + bytes.readUInt32BE(at + BODY_BYTES_AT)
    return { kind: 'frame', frame, dataType }
  })
  if (read.rest.length > 0) pieces.push({ kind: 'rest', text: read.rest.toString('latin1') })
  return pieces
}
