/** The judge of the crash test, fed with stories that are wrong in one way each. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Model } from './model.ts'
import type { Expectations } from './model.ts'
import { operation } from './operation.ts'
import type { Operation, Reply, Verb } from './operation.ts'

/** A full second, so that what is added to it is easy to follow. */
const START_MS = 1_800_000_000_000
const WINDOW_MS = 1100

/** A story of one server, told in steps of 10 ms. */
class Story {
  readonly model: Model
  nowMs = START_MS

  constructor(expectations: Partial<Expectations> = {}) {
    this.model = new Model({
      policy: 'write-through',
      isRoomy: true,
      windowMs: WINDOW_MS,
      ...expectations,
    })
  }

  /** An operation and its reply; without one, it is confirmed by a later reply. */
  tell(op: Operation, reply?: Reply | string, tookMs = 10): this {
    const sentMs = this.nowMs
    this.model.sending(op, sentMs)
    this.nowMs += tookMs
    const answer = typeof reply === 'string' ? ({ kind: 'line', line: reply } as const) : reply
    this.model.answered(op, answer, { sentMs, receivedMs: this.nowMs })
    return this
  }

  set(value: string, fields: Partial<Operation> = {}): this {
    return this.tell(store('set', value, fields), 'STORED')
  }

  get(value: string | undefined, cas = '1', flags = 0): this {
    return this.tell(operation('get', 'k'), value === undefined ? MISS : hit(value, cas, flags))
  }

  wait(ms: number): this {
    this.nowMs += ms
    return this
  }

  die(isClean: boolean, ...unanswered: readonly Operation[]): this {
    this.model.unanswered(
      unanswered.map((op) => ({ op, sentMs: this.nowMs })),
      this.nowMs,
    )
    this.model.died(this.nowMs, isClean)
    return this.wait(10)
  }

  kill(...unanswered: readonly Operation[]): this {
    return this.die(false, ...unanswered)
  }

  faults(): string[] {
    return this.model.findings.map(({ fault }) => fault)
  }
}

const MISS: Reply = { kind: 'miss' }

function hit(value: string, cas: string, flags = 0): Reply {
  return { kind: 'hit', hit: { value: Buffer.from(value), flags, cas } }
}

function store(verb: Verb, value: string, fields: Partial<Operation> = {}): Operation {
  return operation(verb, 'k', { value: Buffer.from(value), ...fields })
}

const remove = operation('delete', 'k')
const flush = operation('flush_all', '')

function holds(story: Story, ...faults: string[]): void {
  assert.deepEqual(story.faults(), faults)
}

describe('the model accepts', () => {
  it('the last acknowledged value, and a miss where the policy may lose it', () => {
    holds(new Story().set('a').set('b').kill().get('b'))
    holds(new Story({ policy: 'on-evict' }).set('a').wait(9000).kill().get(undefined))
    holds(new Story({ policy: 'write-behind' }).set('a').wait(1000).kill().get(undefined))
    holds(new Story({ policy: 'memory' }).set('a').wait(9000).get(undefined))
    holds(new Story({ isRoomy: false }).set('a').wait(9000).get(undefined))
  })

  it('what was under way in a kill, and what was before, and then only what was seen', () => {
    const ops = [store('set', 'b'), store('append', 'c'), operation('delete', 'k')]
    for (const value of ['a', 'b', 'bc', undefined]) {
      holds(
        new Story()
          .set('a')
          .kill(...ops)
          .get(value),
      )
    }
    holds(
      new Story()
        .set('a')
        .kill(...ops)
        .get('b', '2')
        .get('a', '1'),
      'stale',
    )
    holds(
      new Story()
        .set('a')
        .kill(...ops)
        .get('c'),
      'wrong',
    )
  })

  it('what memcached does', () => {
    const story = new Story()
      .tell(store('add', '5'), 'STORED')
      .tell(store('add', '6'), 'NOT_STORED')
      .tell(operation('incr', 'k', { delta: 6n }), '11')
      .tell(operation('decr', 'k', { delta: 5n }), '6')
      .get('6 ', '9')
      .tell(store('cas', 'x', { token: '9', flags: 4 }), 'STORED')
      .tell(store('cas', 'y', { token: '9' }), 'EXISTS')
      .tell(store('append', '>'), 'STORED')
      .tell(store('prepend', '<'), 'STORED')
      .get('<x>', '12', 4)
      .tell(operation('touch', 'k', { exptime: 100 }), 'TOUCHED')
      .get('<x>', '12', 4)
      .tell(remove, 'DELETED')
      .tell(store('replace', 'z'), 'NOT_STORED')
      .get(undefined)
    holds(story)
  })

  it('that a noreply add did either', () => {
    const add = store('add', 'b', { quiet: true })
    holds(new Story().set('a').tell(add).get('a'))
    holds(new Story({ policy: 'memory' }).set('a').tell(add).get('b', '2'))
    holds(new Story().set('a').tell(add).get('c'), 'wrong')
  })

  it('either side of a flush that was under way in a kill', () => {
    for (const value of ['a', undefined]) {
      const story = new Story().set('a')
      story.model.sending(flush, story.nowMs)
      holds(story.kill(flush).get(value))
    }
  })
})

describe('the model finds', () => {
  it('an older value, after a kill and without one', () => {
    holds(new Story().set('a').set('b').kill().get('a'), 'stale')
    holds(new Story().set('a').set('b').get('a'), 'stale')
    holds(new Story().set('a').tell(store('append', 'b'), 'STORED').kill().get('a'), 'stale')
    const incr = operation('incr', 'k', { delta: 1n })
    holds(new Story().set('5').tell(incr, '6').kill().tell(incr, '6'), 'stale')
  })

  it('what was deleted, flushed or has expired', () => {
    holds(new Story().set('a').tell(remove, 'DELETED').kill().get('a'), 'resurrected')
    holds(new Story().set('a').wait(5).tell(flush, 'OK').wait(5).kill().get('a'), 'resurrected')
    const soon = { exptime: 2 }
    holds(new Story().set('a', soon).wait(900).kill().get('a'))
    holds(new Story().set('a', soon).kill().wait(3100).get('a'), 'resurrected')
    holds(new Story().set('a', { exptime: -1 }).get('a'), 'resurrected')
    const touch = operation('touch', 'k', soon)
    holds(new Story().set('a').tell(touch, 'TOUCHED').kill().wait(3100).get('a'), 'resurrected')
  })

  it('a deleted item that only a condition betrays', () => {
    const story = (): Story => new Story().set('a').tell(remove, 'DELETED').kill()
    holds(story().tell(store('add', 'b'), 'NOT_STORED'), 'resurrected')
    holds(story().tell(store('append', 'b'), 'STORED'), 'resurrected')
    holds(story().tell(operation('touch', 'k'), 'TOUCHED'), 'resurrected')
    holds(story().tell(remove, 'DELETED'), 'resurrected')
    holds(story().tell(operation('incr', 'k'), '6'), 'resurrected')
  })

  it('what a delete without a reply has deleted', () => {
    const quiet = operation('delete', 'k', { quiet: true })
    holds(new Story().set('a').tell(quiet).kill().get('a'), 'resurrected')
  })

  it('what a delayed flush was to end, once its time has come', () => {
    const delayed = operation('flush_all', '', { exptime: 1 })
    holds(new Story().set('a').wait(5).tell(delayed, 'OK').kill().get('a'))
    holds(
      new Story().set('a').wait(5).tell(delayed, 'OK').kill().wait(3000).get('a'),
      'resurrected',
    )
  })

  it('wrong bytes, wrong flags, and the value of another key', () => {
    holds(new Story().set('a').kill().get('x'), 'wrong')
    holds(new Story().set('a', { flags: 3 }).kill().get('a', '1', 4), 'wrong')
    const other = operation('set', 'other', { value: Buffer.from('b') })
    holds(new Story().set('a').tell(other, 'STORED').kill().get('b'), 'wrong')
  })

  it('a cas value that is given twice, or that changes by itself', () => {
    holds(new Story().set('a').get('a', '7').set('b').kill().get('b', '7'), 'cas')
    holds(new Story().set('a').get('a', '7').kill().get('a', '8'), 'cas')
    const other = operation('set', 'other', { value: Buffer.from('b') })
    const story = new Story().set('a').get('a', '7').kill().tell(other, 'STORED')
    holds(story.tell(operation('get', 'other'), hit('b', '7')), 'cas')
    const token = { token: '6' }
    holds(
      new Story()
        .set('a')
        .get('a', '7')
        .tell(store('cas', 'b', token), 'STORED'),
      'cas',
    )
  })

  it('an answer that is none, and says each fault once', () => {
    holds(new Story().set('a').tell(remove, 'ERROR'), 'protocol')
    holds(new Story().set('a').set('b').kill().get('a').get('a').get('a'), 'stale')
    const append = store('append', 'b')
    holds(new Story().tell(append, 'STORED').get('ab').get('ab'), 'resurrected')
  })

  it('a loss that the policy does not allow', () => {
    holds(new Story().set('a').kill().get(undefined), 'lost')
    holds(new Story().set('a').get(undefined), 'lost')
    holds(new Story().set('a').kill().tell(remove, 'NOT_FOUND'), 'lost')
    holds(new Story().set('a').kill().tell(store('add', 'b'), 'STORED'), 'lost')
    holds(new Story().set('a', { quiet: true }).kill().get(undefined), 'lost')
    const behind = (): Story => new Story({ policy: 'write-behind' })
    holds(behind().set('a').wait(1200).kill().get(undefined), 'lost')
    holds(behind().set('a').wait(1200).set('b').kill().get(undefined))
    holds(behind().set('a').get(undefined), 'lost')
    holds(new Story({ policy: 'on-evict' }).set('a').die(true).get(undefined), 'lost')
  })

  it('a loss in a later kill of what an earlier one had left', () => {
    const behind = new Story({ policy: 'write-behind' }).set('a').kill().get('a').wait(2000)
    holds(behind.kill().get(undefined), 'lost')
  })
})

describe('the model does not call a loss', () => {
  it('what was missed before, may have expired, was flushed, or was being changed', () => {
    holds(new Story({ policy: 'memory' }).set('a').get(undefined).kill().get(undefined))
    holds(new Story().set('a', { exptime: 2 }).kill().get(undefined))
    holds(new Story().set('a').tell(flush, 'OK').kill().get(undefined))
    holds(new Story().set('a').kill(remove).get(undefined))
    holds(new Story().set('a').kill(store('set', 'b')).get(undefined))
  })

  it('an item that comes back after a miss; it counts that', () => {
    const story = new Story({ policy: 'memory' }).set('a').get(undefined).wait(1).get('a')
    holds(story)
    assert.equal(story.model.tally.reappeared, 1)
    assert.equal(story.model.tally.lostAllowed, 1)
    holds(
      new Story({ policy: 'memory' }).set('a').get(undefined).tell(remove, 'NOT_FOUND').get('a'),
      'resurrected',
    )
  })
})
