import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bar, printBytes, printRate, printShare, printSpan } from '../../../src/tools/amounts.ts'
import { between, sinceStart } from '../../../src/tools/stats-figures.ts'
import type { Sample } from '../../../src/tools/stats-figures.ts'
import { plainHead, plainRow, screen } from '../../../src/tools/stats-view.ts'

function sample(atS: number, stats: Readonly<Record<string, number | string>>): Sample {
  const entries = Object.entries({ pid: 7, uptime: atS, time: 1_800_000_000 + atS, ...stats })
  return { atMs: atS * 1000, stats: new Map(entries.map(([name, value]) => [name, String(value)])) }
}

function words(line: string): string[] {
  return line.trim().split(/ +/)
}

const DISK = { extstore_limit_maxbytes: 1000, extstore_bytes_used: 250 }

describe('the figures between two samples', () => {
  it('are per second, with the hit ratio of that time alone', () => {
    const before = sample(10, { cmd_get: 100, get_hits: 0, get_misses: 100, rusage_user: '1.0' })
    const after = sample(14, { cmd_get: 300, get_hits: 150, get_misses: 150, rusage_user: '3.0' })
    const figures = between(before, after)
    assert.equal(figures.getsPerS, 50)
    assert.equal(figures.hitRatio, 0.75)
    assert.equal(figures.userCpu, 0.5)
    assert.equal(figures.disk, null)
    assert.equal(sinceStart(after).hitRatio, 0.5)
  })

  it('have no ratio where nothing was asked for', () => {
    assert.equal(between(sample(1, {}), sample(2, {})).hitRatio, null)
  })

  it('are never negative: counters begin anew with a restart and with stats reset', () => {
    const before = sample(100, { cmd_get: 1000 })
    assert.equal(between(before, sample(101, { cmd_get: 30 })).getsPerS, 30)
    assert.equal(between(before, sample(2, { pid: 8, cmd_get: 30 })).getsPerS, 15)
  })

  it('tell the share of hits that came from disk', () => {
    const before = sample(1, { ...DISK, get_hits: 0, extstore_objects_read: 0 })
    const after = sample(2, { ...DISK, get_hits: 40, extstore_objects_read: 10 })
    assert.deepEqual(between(before, after).disk, {
      readsPerS: 10,
      writesPerS: 0,
      droppedPerS: 0,
      shareOfHits: 0.25,
    })
  })
})

describe('the table of figures', () => {
  const stats = {
    version: '1.6.45',
    limit_maxbytes: 1024,
    total_malloced: 512,
    curr_items: 1234,
    max_connections: 10,
    curr_connections: 2,
    rejected_connections: 3,
  }

  it('names the server, and says how full it is', () => {
    const shown = sample(3700, stats)
    const text = screen('host:1', shown, sinceStart(shown), null)
    assert.match(text, /^host:1 {2}memcached 1\.6\.45, up 1 h 1 m\n/)
    assert.match(text, /^memory +█{10}░{10} +50\.0 % {2}512 B of 1\.0 KB, 1,234 items$/m)
    assert.match(text, /^connections .* 2 of 10, 3 refused$/m)
    assert.ok(!text.includes('disk'))
    assert.ok(!text.includes('now'))
  })

  it('has the tier on disk where there is one, and what happens now where that is known', () => {
    const shown = sample(10, { ...stats, ...DISK, rat_memcached_version: '9.9.9' })
    const text = screen('host:1', shown, sinceStart(shown), between(shown, shown))
    assert.match(text, /^host:1 {2}rat-memcached 9\.9\.9, as memcached 1\.6\.45/)
    assert.match(text, / now +since start$/m)
    assert.match(text, /^disk +█{5}░{15} +25\.0 %/m)
    assert.match(text, /^hits from disk/m)
  })

  it('is a line with as many words as there are columns, for programs', () => {
    const names = words(plainHead())
    for (const tier of [{}, DISK]) {
      const shown = sample(10, { ...stats, ...tier })
      const row = words(plainRow(shown, sinceStart(shown)))
      assert.equal(row.length, names.length)
      assert.equal(row[0], '08:00:10')
      assert.equal(row[names.indexOf('mem%')], '50.0')
      assert.equal(row[names.indexOf('disk%')], 'extstore_bytes_used' in tier ? '25.0' : '-')
    }
  })
})

describe('amounts for people', () => {
  it('are short', () => {
    assert.deepEqual([0, 999, 1024, 1.5 * 2 ** 20, 2 ** 41].map(printBytes), [
      '0 B',
      '999 B',
      '1.0 KB',
      '1.5 MB',
      '2.0 TB',
    ])
    assert.deepEqual([0, 0.42, 12.4, 123_456].map(printRate), ['0', '0.4', '12', '123,456'])
    assert.deepEqual([0, 59, 60, 3600, 90_061].map(printSpan), [
      '0 s',
      '59 s',
      '1 m 0 s',
      '1 h 0 m',
      '1 d 1 h',
    ])
    assert.equal(printShare(null), '–')
    assert.equal(bar(7, 4), '████')
    assert.equal(bar(-1, 4), '░░░░')
  })
})
