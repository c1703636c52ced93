import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLogger } from '../../../src/observe/log.ts'
import { LogSink } from '../../../src/observe/log-sink.ts'
import type { SinkOptions } from '../../../src/observe/log-sink.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'rat-sink-'))
after(() => rmSync(root, { recursive: true }))

function options(file: string, more: Partial<SinkOptions> = {}): SinkOptions {
  return { file, stream: 'stdout', fileBytesMax: 0, filesKept: 2, ...more }
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

describe('the file of the log', () => {
  it('is opened again where somebody has renamed it, and nothing is lost between', () => {
    const file = join(root, 'reopened')
    const sink = new LogSink(options(file))
    sink.write('one\n')
    renameSync(file, `${file}.old`)
    sink.write('two\n')
    assert.equal(sink.reopen(), null)
    sink.write('three\n')
    assert.equal(read(`${file}.old`), 'one\ntwo\n')
    assert.equal(read(file), 'three\n')
  })

  it('is turned over when it is large, also if it was so before; the oldest goes', () => {
    const file = join(root, 'turned')
    for (const part of ['a', 'b']) {
      const sink = new LogSink(options(file, { fileBytesMax: 30 }))
      for (let i = 0; i < 5; i++) sink.write(`${part}${i} 34567890\n`)
      assert.equal(sink.lost, 0)
    }
    assert.deepEqual(
      ['', '.1', '.2', '.3'].map((end) => existsSync(file + end)),
      [true, true, true, false],
    )
    assert.equal(read(`${file}.2`), 'a3 34567890\na4 34567890\nb0 34567890\n')
    assert.equal(read(`${file}.1`), 'b1 34567890\nb2 34567890\nb3 34567890\n')
    assert.equal(read(file), 'b4 34567890\n')
  })

  it('grows on where it cannot be turned over', () => {
    const file = join(root, 'stuck')
    mkdirSync(`${file}.1`)
    mkdirSync(join(`${file}.1`, 'full'))
    const sink = new LogSink(options(file, { fileBytesMax: 10, filesKept: 1 }))
    for (let i = 0; i < 9; i++) sink.write('12345\n')
    assert.equal(sink.lost, 0)
    assert.equal(read(file), '12345\n'.repeat(9))
  })

  it('may be on a disk that is full: lines are dropped and counted, and what comes after is written', () => {
    const sink = new LogSink(options('/dev/full'))
    for (let i = 0; i < 3; i++) sink.write('lost\n')
    assert.equal(sink.lost, 3)
    const file = join(root, 'room')
    assert.equal(sink.reopen(options(file)), null)
    sink.write('kept\n')
    assert.deepEqual([read(file), sink.lost], ['kept\n', 3])
  })

  it('stays the one that it was where another cannot be opened', () => {
    const file = join(root, 'stays')
    const sink = new LogSink(options(file))
    assert.match(sink.reopen(options(join(root, 'none', 'log')))?.message ?? '', /none/)
    sink.write('here\n')
    assert.equal(read(file), 'here\n')
  })
})

describe('the log', () => {
  const place = { level: 'info', pretty: 'never' } as const

  it('says how many lines were lost, when one gets through again', () => {
    const file = join(root, 'again')
    const log = createLogger({ ...place, ...options('/dev/full') })
    log.info({}, 'lost')
    log.info({}, 'lost')
    assert.equal(log.linesLost, 2)
    log.move({ ...place, ...options(file) })
    log.info({}, 'first')
    log.info({}, 'second')
    const said = read(file).trimEnd().split('\n')
    const messages = said.map((line) => /"msg":"([^"]+)"/.exec(line)?.[1])
    assert.deepEqual(messages, ['first', 'lines of the log could not be written', 'second'])
    assert.match(said[1]!, /"lines":2/)
  })

  it('can take another form with another place, and says where it stays', () => {
    const first = join(root, 'form')
    const log = createLogger({ ...place, ...options(first) })
    log.move({ ...place, ...options(first), pretty: 'always' })
    log.info({}, 'plain')
    log.move({ ...place, ...options(join(root, 'none', 'log')) })
    assert.match(read(first), /Z INFO {2}plain\n.*ERROR the log stays where it is reason=/)
  })
})

describe('a stream of the log', () => {
  it('that nobody reads does not hold up who writes', async () => {
    const script = `
      import { LogSink } from './src/observe/log-sink.ts'
      const sink = new LogSink({ file: '', stream: 'stdout', fileBytesMax: 0, filesKept: 1 })
      for (let i = 0; i < 5000; i++) sink.write('x'.repeat(99) + '\\n')
      process.exit(sink.lost > 1000 ? 7 : 8)
    `
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
    })
    child.stdout.pause()
    const [code] = await once(child, 'exit')
    assert.equal(code, 7)
    let text = ''
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()))
    child.stdout.resume()
    await once(child.stdout, 'end')
    assert.ok(text.length > 10_000)
    assert.match(text, /^(?:x{99}\n)+x*$/)
  })
})
