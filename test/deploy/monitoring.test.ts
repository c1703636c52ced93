/** deploy/prometheus and deploy/grafana: they ask for what the server serves, and say what they mean. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startServer } from '../helpers/server.ts'
import type { TestServer } from '../helpers/server.ts'
import { DEPLOY, at, listAt, readDocuments, textAt } from './yaml-files.ts'

const RULES = `${DEPLOY}prometheus/rules.yml`
const DASHBOARD = `${DEPLOY}grafana/dashboards/rat-memcached.json`
const CASES = fileURLToPath(new URL('rules.promtool.yml', import.meta.url))
/** A metric of ours or of memcached_exporter; a recording rule has a colon. */
const METRIC_NAME = /\b(?:rat_)?memcached_[a-z0-9_]+\b(?!:)/g

const rules = listAt(readDocuments('prometheus/rules.yml')[0], 'groups', 0, 'rules')
const alerts = rules.filter((rule) => at(rule, 'alert') !== undefined)
const dashboard: unknown = JSON.parse(readFileSync(DASHBOARD, 'utf8'))
const panels = listAt(dashboard, 'panels')

/** All expressions of the dashboard, with the title of their panel. */
function queries(): { title: string; expression: string }[] {
  return panels.flatMap((panel) =>
    (at(panel, 'targets') === undefined ? [] : listAt(panel, 'targets')).map((target) => ({
      title: textAt(panel, 'title'),
      expression: textAt(target, 'expr'),
    })),
  )
}

describe('what Prometheus and Grafana are told to ask for', () => {
  let folder = ''
  let server: TestServer
  /** Names of metrics, and the labels that each has in this server. */
  const labelsOf = new Map<string, Set<string>>()

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rat-monitoring-'))
    server = await startServer({
      'l2.enabled': 'true',
      'l2.data_dir': folder,
      'metrics.bind': '127.0.0.1:0',
    })
    const client = await server.connect()
    client.send('set a 0 0 1\r\nb\r\nget a b\r\nquit\r\n')
    await client.closed()
    const shown = await (await server.get('/metrics')).text()
    for (const [, name, type] of shown.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      const names = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
      for (const end of names) labelsOf.set(name! + end, new Set())
    }
    for (const [, name, labels] of shown.matchAll(/^(\w+)\{([^}]*)\} /gm)) {
      for (const [, label] of labels!.matchAll(/(\w+)="/g)) labelsOf.get(name!)?.add(label!)
    }
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  /** What an expression asks for and the server does not have. */
  function unknownIn(expression: string): string[] {
    const unknown = [...expression.matchAll(METRIC_NAME)]
      .map(([name]) => name)
      .filter((name) => !labelsOf.has(name))
    for (const [, name, matchers] of expression.matchAll(/\b(\w+)\{([^}]*)\}/g)) {
      // "job" and "instance" are Prometheus' own, and "le" is in every histogram.
      for (const [, label] of matchers!.matchAll(/(\w+)=~?"/g)) {
        if (['job', 'instance', 'le'].includes(label!)) continue
        if (labelsOf.has(name!) && !labelsOf.get(name!)!.has(label!)) {
          unknown.push(`${name}{${label}}`)
        }
      }
    }
    return unknown
  }

  it('is served: every metric and label of the rules', () => {
    assert.ok(labelsOf.size > 100, `${labelsOf.size} metrics`)
    for (const rule of rules) assert.deepEqual(unknownIn(textAt(rule, 'expr')), [])
  })

  it('is served: every metric and label of the dashboard', () => {
    assert.ok(queries().length > 40, `${queries().length} queries`)
    for (const { title, expression } of queries())
      assert.deepEqual(unknownIn(expression), [], title)
    const variables = listAt(dashboard, 'templating', 'list').map((one) => at(one, 'definition'))
    const asked = variables.filter((text) => typeof text === 'string')
    assert.equal(asked.length, 2)
    for (const text of asked) assert.deepEqual(unknownIn(text), [])
    for (const one of listAt(dashboard, 'annotations', 'list')) {
      assert.deepEqual(unknownIn(textAt(one, 'expr')), [])
    }
  })

  it('would be missed if it were not there', () => {
    assert.deepEqual(unknownIn('rate(memcached_nonsense_total{a="b"}[5m])'), [
      'memcached_nonsense_total',
    ])
    assert.deepEqual(unknownIn('sum(rat_memcached_items{tire="disk"})'), [
      'rat_memcached_items{tire}',
    ])
  })
})

describe('the dashboard', () => {
  it('gives every panel an id, a place of its own within the page, and words about it', () => {
    const ids = panels.map((panel) => at(panel, 'id'))
    assert.equal(new Set(ids).size, panels.length)
    const taken = new Set<string>()
    for (const panel of panels) {
      const [x, y, w, h] = ['x', 'y', 'w', 'h'].map((side) => Number(at(panel, 'gridPos', side)))
      for (let column = x!; column < x! + w!; column++) {
        assert.ok(column < 24)
        for (let line = y!; line < y! + h!; line++) {
          assert.ok(!taken.has(`${column} ${line}`), textAt(panel, 'title'))
          taken.add(`${column} ${line}`)
        }
      }
      if (at(panel, 'type') !== 'row') assert.ok(textAt(panel, 'description').length > 10)
    }
  })

  it('takes its data from the source that is chosen, and only of the servers that are', () => {
    for (const { title, expression } of queries()) {
      const selectors = [...expression.matchAll(METRIC_NAME)].length
      const chosen = expression.match(/job=~"\$job",instance=~"\$instance"/g) ?? []
      assert.equal(chosen.length, selectors, title)
    }
  })
})

describe('the alert rules', () => {
  const named = alerts.map((alert) => textAt(alert, 'alert'))

  it('say how urgent they are, and in a sentence what is the matter', () => {
    assert.ok(named.length > 10)
    for (const alert of alerts) {
      assert.match(textAt(alert, 'labels', 'severity'), /^(?:page|ticket)$/)
      assert.match(textAt(alert, 'annotations', 'summary'), /\{\{ \$labels\.instance \}\}/)
    }
  })

  it('are all explained on the page of operations, and no other is', () => {
    const page = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8')
    const explained = [...page.matchAll(/^\| `(RatMemcached\w+)` +\|/gm)].map(([, name]) => name!)
    assert.deepEqual(explained.sort(), [...named].sort())
  })

  it('each have a case in which they fire', () => {
    const cases = readFileSync(CASES, 'utf8')
    for (const name of named) assert.ok(cases.includes(`name: ${name} fires`), name)
  })
})

if (spawnSync('promtool', ['--version']).error !== undefined) {
  console.log('left out: the rules as Prometheus judges them, which need promtool')
} else {
  describe('Prometheus', () => {
    const checks: readonly (readonly [string, readonly string[]])[] = [
      [
        'takes its configuration',
        ['check', 'config', '--syntax-only', 'prometheus/prometheus.yml'],
      ],
      ['takes the rules', ['check', 'rules', RULES]],
      ['fires every alert where it should, and none in peace', ['test', 'rules', CASES]],
    ]
    for (const [name, args] of checks) {
      it(name, () => {
        const { status, stdout, stderr } = spawnSync('promtool', args, {
          cwd: DEPLOY,
          encoding: 'utf8',
        })
        assert.equal(status, 0, stdout + stderr)
      })
    }
  })
}
