/** The file of ports: what stands in it, and that it is whole or not there. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { portLines, writePortFile } from '../../../src/cli/port-file.ts'
import { ServerError } from '../../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'rat-memcached-ports-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('the file of ports', () => {
  it('has a line for each address with a port, as memcached writes it', () => {
    const addresses = ['127.0.0.1:11211', '[::1]:11212', 'unix:/run/cache.sock']
    assert.equal(portLines(addresses), 'TCP INET: 11211\nTCP INET6: 11212\n')
  })

  it('is written where it is wanted, over an older one, and leaves nothing beside it', () => {
    const file = join(folder, 'ports')
    writePortFile(file, ['127.0.0.1:1'])
    writePortFile(file, ['127.0.0.1:2'])
    assert.equal(readFileSync(file, 'utf8'), 'TCP INET: 2\n')
    assert.equal(existsSync(`${file}.lck`), false)
  })

  it('is an error with a code where it cannot be written', () => {
    const file = join(folder, 'missing', 'ports')
    assert.throws(
      () => writePortFile(file, ['127.0.0.1:1']),
      (error) => error instanceof ServerError && error.code === 'PORT_FILE_UNWRITABLE',
    )
    assert.doesNotThrow(() => writePortFile('', ['127.0.0.1:1']))
  })
})
