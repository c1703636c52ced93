import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Audit } from '../../../src/commands/audit.ts'
import { ManualClock } from '../../../src/observe/clock.ts'
import { createLoggerTo } from '../../../src/observe/log.ts'

describe('the lines about what clients do to the server', () => {
  it('are limited, and tell how many were left out', () => {
    const lines: Record<string, unknown>[] = []
    const log = createLoggerTo(
      { write: (line) => void lines.push(JSON.parse(line)) },
      'info',
      false,
    )
    const clock = new ManualClock()
    const audit = new Audit(clock, log)
    const client = { number: 1, address: '10.0.0.7', failedLogins: 0 }
    for (let i = 0; i < 70; i++) audit.loginFailed(client)
    assert.equal(lines.length, 50)
    clock.advance(10)
    audit.command(client, 'flush_all 0')
    assert.equal(lines.length, 51)
    const { level, client: who, command, not_logged: left } = lines[50]!
    assert.deepEqual([level, who, command, left], ['info', '10.0.0.7', 'flush_all 0', 20])
    assert.deepEqual([lines[0]!['level'], lines[0]!['msg']], ['warn', 'a login failed'])
  })

  it('are short, whatever a client sends', () => {
    const lines: string[] = []
    const log = createLoggerTo({ write: (line) => void lines.push(line) }, 'info', false)
    new Audit(new ManualClock(), log).command(null, 'x'.repeat(2000), 'ERROR')
    assert.ok(lines[0]!.length < 500)
    assert.match(lines[0]!, /"client":"unix"/)
  })
})
