/** deploy/compose: the parts fit each other, and the server takes what it is given. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseCommandLine } from '../../src/cli/options.ts'
import { loadConfig } from '../../src/config/load.ts'
import { DEPLOY, at, entriesAt, listAt, readDocuments, textAt } from './yaml-files.ts'

const [compose] = readDocuments('compose/compose.yaml')
const [prometheus] = readDocuments('prometheus/prometheus.yml')
const [sources] = readDocuments('grafana/provisioning/datasources/prometheus.yaml')
const [boards] = readDocuments('grafana/provisioning/dashboards/files.yaml')
const services = entriesAt(compose, 'services').map(([name]) => name)

/** The mounts of a service: where in the container, and from where. */
function mounts(service: string): { from: string; to: string; readOnly: boolean }[] {
  return listAt(compose, 'services', service, 'volumes').map((mount) => {
    const [from, to, mode] = String(mount).split(':')
    return { from: from!, to: to!, readOnly: mode === 'ro' }
  })
}

describe('the compose file', () => {
  it('gives the server options and variables that it takes', () => {
    const args = listAt(compose, 'services', 'cache', 'command').map(String)
    const { overrides } = parseCommandLine(args)
    const variables = entriesAt(compose, 'services', 'cache', 'environment')
    const env = {
      ...Object.fromEntries(variables.map(([name, value]) => [name, String(value)])),
      RAT_MEMCACHED_METRICS_TOKEN: 'a-token',
    }
    const config = loadConfig({ env, overrides })
    assert.equal(config.l1.memoryBytesMax, 256 * 1024 * 1024)
    // The index of the disk, what waits to be written and the runtime have to fit beside it.
    const limit = parseInt(textAt(compose, 'services', 'cache', 'mem_limit')) * 1024 * 1024
    assert.ok(limit > config.l1.memoryBytesMax + config.l2.stagedBytesMax + 300 * 1024 * 1024)
  })

  it('has no port that other machines reach', () => {
    for (const service of services) {
      for (const port of listAt(compose, 'services', service, 'ports')) {
        assert.match(String(port), /^127\.0\.0\.1:\d+:\d+$/)
      }
    }
  })

  it('asks for its passwords, and holds none', () => {
    const asked = [...JSON.stringify(compose).matchAll(/\$\{(\w+)(:\?)?/g)]
    assert.deepEqual(
      new Set(asked.map(([, name]) => name)),
      new Set(['METRICS_TOKEN', 'GRAFANA_PASSWORD']),
    )
    for (const [, name, required] of asked) assert.equal(required, ':?', name)
  })

  it('runs the server without rights, and with nothing to write to but its volume', () => {
    const cache = at(compose, 'services', 'cache')
    assert.equal(at(cache, 'read_only'), true)
    assert.deepEqual(at(cache, 'cap_drop'), ['ALL'])
    assert.deepEqual(at(cache, 'security_opt'), ['no-new-privileges:true'])
    assert.deepEqual(mounts('cache'), [{ from: 'cache', to: '/data', readOnly: false }])
  })

  it('mounts what is there, and volumes that it declares', () => {
    const volumes = entriesAt(compose, 'volumes').map(([name]) => name)
    for (const { from, readOnly } of services.flatMap((service) => mounts(service))) {
      if (from.startsWith('.')) {
        assert.ok(existsSync(join(DEPLOY, 'compose', from)), from)
        assert.ok(readOnly, from)
      } else assert.ok(volumes.includes(from), from)
    }
    assert.ok(existsSync(join(DEPLOY, 'compose', textAt(compose, 'services', 'cache', 'build'))))
  })

  it('has Prometheus ask where the side door is, with its token', () => {
    const job = at(prometheus, 'scrape_configs', 0)
    const bind = textAt(compose, 'services', 'cache', 'environment', 'RAT_MEMCACHED_METRICS_BIND')
    const port = bind.split(':').at(-1)
    assert.deepEqual(listAt(job, 'static_configs', 0, 'targets'), [`cache:${port}`])
    const [secret] = listAt(compose, 'services', 'prometheus', 'secrets')
    assert.equal(textAt(job, 'authorization', 'credentials_file'), `/run/secrets/${String(secret)}`)
    assert.equal(textAt(compose, 'secrets', String(secret), 'environment'), 'METRICS_TOKEN')
  })

  it('has Grafana ask Prometheus, and find its dashboard', () => {
    const [port] = listAt(compose, 'services', 'prometheus', 'ports')
    const inside = String(port).split(':').at(-1)
    assert.equal(textAt(sources, 'datasources', 0, 'url'), `http://prometheus:${inside}`)
    const folder = textAt(boards, 'providers', 0, 'options', 'path')
    const mount = mounts('grafana').find(({ to }) => to === folder)
    assert.ok(mount !== undefined, folder)
    const home = textAt(
      compose,
      'services',
      'grafana',
      'environment',
      'GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH',
    )
    assert.ok(existsSync(join(DEPLOY, 'compose', mount.from, home.slice(folder.length))))
  })
})
