import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  createLogger,
  createLoggerTo,
  limitLines,
  type LineSink,
  type LogOptions,
} from '../../../src/observe/log.ts'

const PLACE: LogOptions = {
  level: 'info',
  file: '',
  stream: 'stdout',
  fileBytesMax: 0,
  filesKept: 1,
  pretty: 'auto',
}

function collect(): LineSink & { readonly lines: string[] } {
  const lines: string[] = []
  return { lines, write: (line) => void lines.push(line) }
}

describe('the log', () => {
  it('has one JSON object a line, with level, time, process and message', () => {
    const sink = collect()
    const log = createLoggerTo(sink, 'info', false)
    log.info({ addresses: ['127.0.0.1:1'] }, 'listening')
    assert.equal(sink.lines.length, 1)
    const line: Record<string, unknown> = JSON.parse(sink.lines[0] ?? '')
    assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    delete line['time']
    const expected = {
      level: 'info',
      pid: process.pid,
      addresses: ['127.0.0.1:1'],
      msg: 'listening',
    }
    assert.deepEqual(line, expected)
  })

  it('leaves out what is below its level, which may change', () => {
    const sink = collect()
    const log = createLoggerTo(sink, 'warn', false)
    log.info({}, 'one')
    log.warn({}, 'two')
    log.level = 'debug'
    log.debug({}, 'three')
    log.level = 'silent'
    log.fatal({}, 'four')
    const messages = sink.lines.map((line) => /"msg":"(\w+)"/.exec(line)?.[1])
    assert.deepEqual(messages, ['two', 'three'])
  })

  it('can be short lines for people', () => {
    const sink = collect()
    createLoggerTo(sink, 'info', true).warn({ count: 3, name: 'a b' }, 'refused')
    assert.match(sink.lines[0] ?? '', /^[\d-]+T[\d:.]+Z WARN {2}refused count=3 name="a b"\n$/)
  })

  it('shows people the stack of an error', () => {
    const sink = collect()
    createLoggerTo(sink, 'info', true).error({ err: new Error('broken') }, 'failed')
    assert.match(sink.lines[0] ?? '', /ERROR failed\n {2}Error: broken\n {6}at /)
  })

  it('lets nothing through that moves the cursor of a terminal or begins a line', () => {
    const sink = collect()
    const text = 'a\nb\u001B[2Jc\u009Bd\u2028e'
    createLoggerTo(sink, 'info', true).info({ text }, text)
    assert.equal(sink.lines[0]?.match(/[\p{Cc}\p{Zl}]/gu)?.join(''), '\n')
  })

  it('is written to its file before the call returns', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-log-'))
    try {
      const file = join(folder, 'server.log')
      const log = createLogger({ ...PLACE, file })
      log.info({}, 'first')
      log.info({}, 'second')
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
      assert.equal(lines.length, 2)
      assert.match(lines[1] ?? '', /"msg":"second"/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says so when its file cannot be opened', () => {
    assert.throws(() => createLogger({ ...PLACE, file: '/nonexistent/server.log' }), {
      code: 'CONFIG_INVALID',
      message: /logging\.file.*nonexistent/,
    })
  })
})

describe('a limited line', () => {
  it('is written once in an interval, with the number of those left out', () => {
    let nowMs = 1000
    const written: number[] = []
    const line = limitLines(
      100,
      () => nowMs,
      (leftOut) => void written.push(leftOut),
    )
    line()
    line()
    nowMs = 1099
    line()
    assert.deepEqual(written, [0])
    nowMs = 1100
    line()
    assert.deepEqual(written, [0, 2])
    nowMs = 9999
    line()
    assert.deepEqual(written, [0, 2, 0])
  })
})
