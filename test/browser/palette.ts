/**
 * Makes a screenshot small: an image of at most 256 colours, the most frequent ones of it, and each other as
 * the nearest of these. A page has few colours but at the edges of its letters. Reads what browsers write:
 * PNG, 8 bits a channel, with or without alpha, not interlaced.
 */
import assert from 'node:assert/strict'
import { deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const COLOURS_MAX = 256
const TYPE_PALETTE = 3
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 }
const CRC_POLYNOMIAL = 0xedb88320

export function withPalette(png: Buffer): Buffer {
  const header = chunksOf(png, 'IHDR')
  const width = header.readUInt32BE(0)
  const height = header.readUInt32BE(4)
  const channels = CHANNELS[header[9]!]
  assert.ok(header[8] === 8 && channels !== undefined && header[12] === 0, 'an unknown form of PNG')
  const pixels = unfiltered(inflateSync(chunksOf(png, 'IDAT')), width * channels, height, channels)
  const colourAt = (pixel: number): number => pixels.readUIntBE(pixel * channels, 3)

  const counts = new Map<number, number>()
  for (let pixel = 0; pixel < width * height; pixel++) {
    counts.set(colourAt(pixel), (counts.get(colourAt(pixel)) ?? 0) + 1)
  }
  const palette = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, COLOURS_MAX)
    .map(([colour]) => colour)
  const indexes = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]))

  // A line begins with the number of its filter; 0 is none, which suits palettes.
  const lines = Buffer.alloc((width + 1) * height)
  for (let pixel = 0; pixel < width * height; pixel++) {
    lines[pixel + Math.floor(pixel / width) + 1] = indexes.get(colourAt(pixel))!
  }
  const colours = Buffer.alloc(palette.length * 3)
  palette.forEach((colour, index) => colours.writeUIntBE(colour, index * 3, 3))
  const newHeader = Buffer.from(header)
  newHeader[9] = TYPE_PALETTE
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', newHeader),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(lines, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The contents of all chunks of a type: length, type, contents, checksum. */
function chunksOf(png: Buffer, type: string): Buffer {
  const found: Buffer[] = []
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === type) {
      found.push(png.subarray(at + 8, at + 8 + length))
    }
    at += length + 12
  }
  return Buffer.concat(found)
}

/** Each line is given as differences, in one of five ways (PNG, 9.2). */
function unfiltered(data: Buffer, lineBytes: number, height: number, pixelBytes: number): Buffer {
  const pixels = Buffer.alloc(lineBytes * height)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (lineBytes + 1)]!
    for (let x = 0; x < lineBytes; x++) {
      const at = y * lineBytes + x
      const left = x >= pixelBytes ? pixels[at - pixelBytes]! : 0
      const up = y > 0 ? pixels[at - lineBytes]! : 0
      const corner = x >= pixelBytes && y > 0 ? pixels[at - lineBytes - pixelBytes]! : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!
      pixels[at] = data[at + y + 1]! + guess
    }
  }
  return pixels
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner)
  const toUp = Math.abs(left - corner)
  const toCorner = Math.abs(left + up - 2 * corner)
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

function nearest(palette: readonly number[], colour: number): number {
  const far = palette.map(
    (other) =>
      ((other >> 16) - (colour >> 16)) ** 2 +
      (((other >> 8) & 255) - ((colour >> 8) & 255)) ** 2 +
      ((other & 255) - (colour & 255)) ** 2,
  )
  return far.indexOf(Math.min(...far))
}

function chunk(type: string, contents: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), contents])
  const bytes = Buffer.alloc(typed.length + 8)
  bytes.writeUInt32BE(contents.length, 0)
  typed.copy(bytes, 4)
  bytes.writeUInt32BE(crc32(typed), typed.length + 4)
  return bytes
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC_POLYNOMIAL : 0)
  }
  return ~crc >>> 0
}
