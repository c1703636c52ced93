import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOf } from '../../../../src/bytes/ascii.ts'
import { InputWindow } from '../../../../src/bytes/input-window.ts'
import { KEYS_AHEAD_MAX } from '../../../../src/bytes/keys-ahead.ts'
import { lookAhead, lookAlongLine } from '../../../../src/protocol/text/look-ahead.ts'

function shown(text: string): InputWindow {
  const buffer = Buffer.alloc(text.length + 8, 'x')
  buffer.write(text, 'latin1')
  const input = new InputWindow(bytesOf(buffer))
  input.show(input.bytes, 0, text.length)
  return input
}

function keysIn({ ahead, bytes }: InputWindow): string[] {
  return Array.from({ length: ahead.count }, (_, index) =>
    bytes.buffer.toString('latin1', ahead.starts[index], ahead.ends[index]),
  )
}

function keysOf(text: string): string[] {
  const input = shown(text)
  lookAhead(input)
  return keysIn(input)
}

describe('looking ahead in text', () => {
  it('finds the key of every kind of command, and passes over values', () => {
    assert.deepEqual(
      keysOf(
        'get a\r\nset b 0 0 7 noreply\r\nget no\n\r\nms c 3 T0\r\nget\r\nmg d v\r\nincr e 1\r\ndecr f 1\n' +
          'touch g 0\r\ndelete h\r\nappend i 0 0 1\r\nx\r\nprepend j 0 0 1\r\nx\r\nreplace k 0 0 0\r\n\r\n' +
          'add l 0 0 0\r\n\r\ncas m 0 0 0 1\r\n\r\ngets n\r\n',
      ),
      'a b c d e f g h i j k l m n'.split(' '),
    )
  })

  it('finds all keys of a multiget, as many as there is room for', () => {
    assert.deepEqual(keysOf('get a bb  ccc\r\ngets d e\nmg f\r\n'), [
      'a',
      'bb',
      'ccc',
      'd',
      'e',
      'f',
    ])
    const many = Array.from({ length: 40 }, (_, index) => `key${index}`)
    assert.deepEqual(keysOf(`get ${many.join(' ')}\r\n`), many.slice(0, KEYS_AHEAD_MAX))
    const input = shown(`${many.join(' ')}\r\nget z\r\n`)
    lookAlongLine(input)
    assert.deepEqual(keysIn(input), many.slice(0, KEYS_AHEAD_MAX))
    assert.equal(input.ahead.until, many.slice(0, KEYS_AHEAD_MAX).join(' ').length)
  })

  it('ends at what it does not know, and at the end of the window', () => {
    assert.deepEqual(keysOf('get a\r\nstats items\r\nget b\r\n'), ['a'])
    assert.deepEqual(keysOf('get a\r\nget bc'), ['a'])
    assert.deepEqual(keysOf('get a\r\nset b 0 0 100\r\nget c\r\n'), ['a', 'b'])
    assert.deepEqual(keysOf('stats\r\nget a\r\n'), [])
    assert.deepEqual(keysOf(''), [])
  })
})
