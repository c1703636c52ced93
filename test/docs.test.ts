import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defaultConfig, loadConfig } from '../src/config/load.ts'
import { configReference, sampleFile } from '../src/config/print.ts'
import { KEY_DEFINITIONS } from '../src/config/schema.ts'

const CONFIG_FOLDER = new URL('../config/', import.meta.url)

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

describe('the documentation of the configuration', () => {
  const again = 'it was changed by hand, or the schema was: run `npm run docs:config`'

  it('config/rat-memcached.toml is what the schema says, to the letter', () => {
    assert.equal(read('../config/rat-memcached.toml'), sampleFile(defaultConfig()), again)
  })

  it('docs/CONFIG.md is what the schema says, to the letter', () => {
    assert.equal(read('../docs/CONFIG.md'), configReference(defaultConfig()), again)
  })

  it('config/rat-memcached.toml holds every key, and loads to the defaults', () => {
    const sample = fileURLToPath(new URL('rat-memcached.toml', CONFIG_FOLDER))
    assert.deepEqual(loadConfig({ file: sample, env: {} }), defaultConfig())
    const written = read('../config/rat-memcached.toml').match(/^\w+(?= = )/gm)
    assert.deepEqual(
      written,
      KEY_DEFINITIONS.map((definition) => definition.name),
    )
  })

  for (const name of readdirSync(CONFIG_FOLDER).filter((entry) => entry.endsWith('.toml'))) {
    it(`config/${name} is a good configuration`, () => {
      loadConfig({ file: fileURLToPath(new URL(name, CONFIG_FOLDER)), env: {} })
    })
  }
})
