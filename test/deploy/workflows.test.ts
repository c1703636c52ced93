/** .github/workflows: they are YAML, take few rights, and run nothing that can change behind their back. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { at, entriesAt, listAt } from './yaml-files.ts'

const FOLDER = new URL('../../.github/workflows/', import.meta.url)

describe('the workflows', () => {
  for (const name of readdirSync(FOLDER)) {
    const text = readFileSync(new URL(name, FOLDER), 'utf8')
    const workflow: unknown = parse(text)

    it(`${name} runs actions by the hash of their commit, with their version beside it`, () => {
      const used = entriesAt(workflow, 'jobs').flatMap(([, job]) =>
        listAt(job, 'steps').flatMap((step) => at(step, 'uses') ?? []),
      )
      assert.ok(used.length > 0)
      for (const action of used) {
        assert.ok(typeof action === 'string')
        assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
      }
      const versions = text.match(/uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/gm) ?? []
      assert.equal(versions.length, used.length)
    })

    it(`${name} may read and no more, unless a job says what it needs, and ends in time`, () => {
      assert.deepEqual(at(workflow, 'permissions'), { contents: 'read' })
      for (const [job, description] of entriesAt(workflow, 'jobs')) {
        assert.ok(Number(at(description, 'timeout-minutes')) <= 30, job)
      }
    })
  }

  it('try the image as it is meant to run: root read only, no rights', () => {
    const text = readFileSync(new URL('image.yml', FOLDER), 'utf8')
    for (const flag of ['--read-only', '--cap-drop ALL', '--security-opt no-new-privileges']) {
      assert.ok(text.includes(flag), flag)
    }
    assert.ok(text.includes('platforms: linux/amd64,linux/arm64'))
  })
})
