/** deploy/kubernetes: the objects fit each other, and the server takes what it is given. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { startServer } from '../helpers/server.ts'
import { at, entriesAt, listAt, readDocuments, textAt } from './yaml-files.ts'

const GB = 1024 ** 3
/** What the runtime, its clients and LevelDB take beside memory, index and what waits: see the page of operations. */
const BESIDE_BYTES = 150 * 1024 ** 2

const documents = readDocuments('kubernetes/rat-memcached.yaml')
const [monitor] = readDocuments('kubernetes/podmonitor.yaml')

function ofKind(kind: string): unknown {
  const found = documents.filter((document) => at(document, 'kind') === kind)
  assert.equal(found.length, 1, kind)
  return found[0]
}

const set = ofKind('StatefulSet')
const pod = at(set, 'spec', 'template', 'spec')
const container = at(pod, 'containers', 0)

function gigabytes(quantity: string): number {
  const match = /^(\d+)Gi$/.exec(quantity)
  assert.ok(match !== null, quantity)
  return Number(match[1]) * GB
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1))
}

describe('the objects of Kubernetes', () => {
  let folder = ''
  let config: Config
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'rat-kubernetes-'))
    const [name] = entriesAt(ofKind('ConfigMap'), 'data').map(([key]) => key)
    assert.deepEqual(listAt(container, 'args'), ['--config', `/etc/rat-memcached/${name}`])
    const file = join(folder, name!)
    writeFileSync(file, textAt(ofKind('ConfigMap'), 'data', name!))
    const variables = listAt(container, 'env').map((entry) => [textAt(entry, 'name'), 'a-token'])
    config = loadConfig({ file, env: Object.fromEntries(variables) })
  })
  after(() => rmSync(folder, { recursive: true }))

  it('are of versions that Kubernetes has', () => {
    const kinds = documents.map((one) => `${textAt(one, 'apiVersion')} ${textAt(one, 'kind')}`)
    assert.deepEqual(kinds, [
      'v1 ConfigMap',
      'v1 Service',
      'policy/v1 PodDisruptionBudget',
      'networking.k8s.io/v1 NetworkPolicy',
      'apps/v1 StatefulSet',
    ])
  })

  it('find each other by name and label', () => {
    const labels = at(set, 'spec', 'template', 'metadata', 'labels')
    const selectors = [
      at(set, 'spec', 'selector', 'matchLabels'),
      at(ofKind('Service'), 'spec', 'selector'),
      at(ofKind('PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'),
      at(ofKind('NetworkPolicy'), 'spec', 'podSelector', 'matchLabels'),
      at(monitor, 'spec', 'selector', 'matchLabels'),
    ]
    for (const selector of selectors) assert.deepEqual(selector, labels)
    assert.equal(at(set, 'spec', 'serviceName'), at(ofKind('Service'), 'metadata', 'name'))
    assert.equal(at(ofKind('Service'), 'spec', 'clusterIP'), 'None')
    const volume = at(pod, 'volumes', 0)
    assert.equal(at(volume, 'configMap', 'name'), at(ofKind('ConfigMap'), 'metadata', 'name'))
    const mounted = listAt(container, 'volumeMounts').map((mount) => textAt(mount, 'name'))
    const claim = textAt(set, 'spec', 'volumeClaimTemplates', 0, 'metadata', 'name')
    assert.deepEqual(mounted.sort(), [claim, textAt(volume, 'name')].sort())
    const secretKeyRef = at(container, 'env', 0, 'valueFrom', 'secretKeyRef')
    assert.deepEqual(
      at(monitor, 'spec', 'podMetricsEndpoints', 0, 'authorization', 'credentials'),
      secretKeyRef,
    )
  })

  it('name the ports that the server listens on', () => {
    const ports = new Map(
      listAt(container, 'ports').map((port) => [textAt(port, 'name'), at(port, 'containerPort')]),
    )
    assert.equal(ports.get('memcached'), portOf(config.server.bind[0]!))
    assert.equal(ports.get('metrics'), portOf(config.metrics.bind))
    for (const port of listAt(ofKind('Service'), 'spec', 'ports')) {
      assert.equal(at(port, 'port'), ports.get(textAt(port, 'targetPort')))
    }
    for (const probe of ['readinessProbe', 'livenessProbe']) {
      assert.equal(textAt(container, probe, 'httpGet', 'port'), 'metrics')
    }
    assert.equal(textAt(monitor, 'spec', 'podMetricsEndpoints', 0, 'port'), 'metrics')
  })

  it('probe what the side door answers, without its token', async () => {
    const server = await startServer({ 'metrics.bind': '127.0.0.1:0', 'metrics.token': 'a-token' })
    try {
      for (const probe of ['readinessProbe', 'livenessProbe']) {
        const { status } = await server.get(textAt(container, probe, 'httpGet', 'path'))
        assert.equal(status, 200, probe)
      }
      assert.equal((await server.get('/metrics')).status, 401)
    } finally {
      await server.stop()
    }
  })

  it('leave room in memory, on disk and in time', () => {
    const memory = gigabytes(textAt(container, 'resources', 'limits', 'memory'))
    assert.equal(textAt(container, 'resources', 'requests', 'memory'), '1Gi')
    const { memoryBytesMax } = config.l1
    assert.ok(memory > memoryBytesMax + config.l2.stagedBytesMax + BESIDE_BYTES)
    const claim = at(set, 'spec', 'volumeClaimTemplates', 0, 'spec', 'resources', 'requests')
    assert.ok(gigabytes(textAt(claim, 'storage')) > 1.1 * config.l2.diskBytesMax)
    const data = listAt(container, 'volumeMounts').find((mount) => at(mount, 'name') === 'data')
    assert.ok(config.l2.dataDir.startsWith(`${textAt(data, 'mountPath')}/`))
    const graceS = Number(at(pod, 'terminationGracePeriodSeconds'))
    assert.ok(graceS * 1000 > 2 * config.server.shutdownTimeoutMs)
  })

  it('give the server no rights', () => {
    const context = at(container, 'securityContext')
    assert.deepEqual(context, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const user = listAt(
      ['runAsUser', 'runAsGroup', 'fsGroup'].map((key) => at(pod, 'securityContext', key)),
    )
    assert.deepEqual(user, [11211, 11211, 11211])
    assert.equal(at(pod, 'securityContext', 'runAsNonRoot'), true)
    assert.equal(at(pod, 'automountServiceAccountToken'), false)
  })
})
