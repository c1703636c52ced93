/** Unit tests of how the differential test compares replies: it has to see what it is there for. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Comparison } from '../../differential/compare.ts'
import type { Reply } from '../../differential/compare.ts'
import type { Protocol } from '../../differential/steps.ts'

const SETTING = { version: 10_645, hasDisk: true }

function reply(text: string, more: Partial<Reply> = {}): Reply {
  return { bytes: Buffer.from(text, 'latin1'), closed: false, stuck: false, ...more }
}

/** What is said of these replies, those of memcached first. */
function said(theirs: string, ours: string, protocol: Protocol = 'text'): string | undefined {
  return new Comparison(SETTING).difference(reply(theirs), reply(ours), protocol)
}

function ends(theirs: Reply, ours: Reply): string | undefined {
  return new Comparison(SETTING).difference(theirs, ours, 'text')
}

function frame(fields: { opcode?: number; status?: number; cas?: bigint; value?: string }): string {
  const value = Buffer.from(fields.value ?? '', 'latin1')
  const header = Buffer.alloc(24)
  header.writeUInt8(0x81, 0)
  header.writeUInt8(fields.opcode ?? 0, 1)
  header.writeUInt16BE(fields.status ?? 0, 6)
  header.writeUInt32BE(value.length, 8)
  header.writeBigUInt64BE(fields.cas ?? 0n, 16)
  return Buffer.concat([header, value]).toString('latin1')
}

describe('the comparison of replies', () => {
  it('sees every byte that is not the same', () => {
    const right = 'STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\nVA 3 t-1 kfoo\r\nabc\r\n'
    assert.equal(said(right, right), undefined)
    for (let at = 0; at < right.length; at++) {
      const wrong = `${right.slice(0, at)}#${right.slice(at + 1)}`
      assert.notEqual(said(right, wrong), undefined, wrong)
      assert.notEqual(said(right, right.slice(0, at)), undefined)
      assert.notEqual(said(right.slice(0, at), right), undefined)
    }
  })

  it('sees every byte of a frame', () => {
    const right = frame({ opcode: 1, cas: 7n }) + frame({ status: 1, value: 'Not found' })
    assert.equal(said(right, right, 'binary'), undefined)
    for (let at = 0; at < right.length; at++) {
      const wrong = `${right.slice(0, at)}${String.fromCharCode(right.charCodeAt(at) ^ 1)}${right.slice(at + 1)}`
      // Another cas number in the only place where one is met may be right.
      if (at >= 16 && at < 24) continue
      assert.notEqual(said(right, wrong, 'binary'), undefined, `byte ${at}`)
    }
  })

  it('sees a missing value, and a value too many', () => {
    assert.match(said('VALUE k 0 1\r\nx\r\nEND\r\n', 'END\r\n') ?? '', /END.* here, .*VALUE k/)
    assert.match(said('END\r\n', 'VALUE k 0 1\r\nx\r\nEND\r\n') ?? '', /reply 1/)
  })

  it('takes nothing in a value for a reply', () => {
    const theirs = 'VALUE k 0 10\r\nEND\r\nHD c5\r\nEND\r\n'
    assert.equal(said(theirs, theirs), undefined)
    assert.notEqual(said(theirs, theirs.replace('c5', 'c6')), undefined)
  })

  it('wants cas numbers to stand for each other, one to one', () => {
    const comparison = new Comparison(SETTING)
    const next = (theirs: string, ours: string): string | undefined =>
      comparison.difference(reply(theirs), reply(ours), 'text')
    assert.equal(next('HD c5\r\n', 'HD c50\r\n'), undefined)
    assert.equal(next('VALUE k 0 1 5\r\nx\r\nEND\r\n', 'VALUE k 0 1 50\r\nx\r\nEND\r\n'), undefined)
    assert.notEqual(next('HD c5\r\n', 'HD c51\r\n'), undefined)
    assert.notEqual(next('HD c6\r\n', 'HD c50\r\n'), undefined)
    assert.notEqual(next('HD c0\r\n', 'HD c52\r\n'), undefined)
    assert.equal(comparison.casOf('theirs', 'k', 0), 5n)
    assert.equal(comparison.casOf('ours', 'k', 0), 50n)
  })

  it('lets what the table names differ, and only that', () => {
    assert.equal(said('HD t100 l3\r\n', 'HD t98 l0\r\n'), undefined)
    assert.notEqual(said('HD t100\r\n', 'HD t90\r\n'), undefined)
    assert.notEqual(said('HD t-1\r\n', 'HD t0\r\n'), undefined)
    assert.notEqual(said('HD s3\r\n', 'HD s4\r\n'), undefined)
    assert.equal(said('HD h1\r\n', 'HD h0\r\n'), undefined)
    const inMemory = new Comparison({ ...SETTING, hasDisk: false })
    assert.notEqual(inMemory.difference(reply('HD h1\r\n'), reply('HD h0\r\n'), 'text'), undefined)
    const error = 'CLIENT_ERROR bad command line format\r\n'
    assert.equal(said(`${error}\r\n`, error), undefined)
    assert.notEqual(said('STORED\r\n\r\n', 'STORED\r\n'), undefined)
    assert.notEqual(said('ERROR\r\n', error), undefined)
    const older = new Comparison({ ...SETTING, version: 10_618 })
    assert.equal(older.difference(reply('ERROR\r\n'), reply(error), 'text'), undefined)
    const [theirs, ours] = [reply('VERSION 1.6.18\r\n'), reply('VERSION 1.6.45\r\n')]
    assert.equal(older.difference(theirs, ours, 'text'), undefined)
    assert.notEqual(older.difference(ours, theirs, 'text'), undefined)
    assert.notEqual(said('VERSION 1.6.18\r\n', 'VERSION 1.6.45\r\n'), undefined)
  })

  it('sees who hangs up, and who does not answer', () => {
    const closed = { closed: true }
    assert.match(ends(reply('', closed), reply('')) ?? '', /memcached hangs up/)
    assert.match(ends(reply(''), reply('', closed)) ?? '', /this server hangs up/)
    assert.match(ends(reply(''), reply('', { stuck: true })) ?? '', /this server does not answer/)
    assert.equal(ends(reply('', closed), reply('', closed)), undefined)
  })

  it('lets replies get lost where both connections were closed, but none be another', () => {
    const closed = { closed: true }
    const stored = reply('STORED\r\n', closed)
    assert.equal(ends(stored, reply('STORED\r\nEND\r\n', closed)), undefined)
    assert.notEqual(ends(stored, reply('ERROR\r\nEND\r\n', closed)), undefined)
  })
})
