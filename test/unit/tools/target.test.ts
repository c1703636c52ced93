import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ServerError } from '../../../src/errors.ts'
import { readTarget } from '../../../src/tools/target.ts'

const places: readonly (readonly [string, object])[] = [
  ['cache.example:11311', { host: 'cache.example', port: 11311 }],
  ['cache.example', { host: 'cache.example', port: 11211 }],
  ['10.0.0.1', { host: '10.0.0.1', port: 11211 }],
  ['[::1]', { host: '::1', port: 11211 }],
  ['[::1]:5', { host: '::1', port: 5 }],
  [':5', { host: '127.0.0.1', port: 5 }],
  ['unix:/run/cache.sock', { path: '/run/cache.sock' }],
]

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof ServerError)
    return error.code
  }
  return 'none'
}

describe('the server of a tool', () => {
  for (const [text, place] of places) {
    it(`"${text}" is ${JSON.stringify(place)}`, () => {
      assert.deepEqual(readTarget(text), { name: text, place, tls: null, login: null })
    })
  }

  for (const text of ['', 'a:b', 'a:70000', 'notls:a:1', 'proto[ascii]:a:1', 'unix:', 'a b:1']) {
    it(`"${text}" is none`, () =>
      assert.equal(
        codeOf(() => readTarget(text)),
        'USAGE',
      ))
  }

  it('is logged in to as the first user of a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rat-target-'))
    try {
      const authFile = join(folder, 'users')
      writeFileSync(authFile, '# users\nme:pass:word\nother:x\n')
      assert.equal(readTarget('a', { authFile }).login, 'me pass:word')
      writeFileSync(authFile, '# none\n')
      assert.equal(
        codeOf(() => readTarget('a', { authFile })),
        'USERS_UNREADABLE',
      )
      assert.equal(
        codeOf(() => readTarget('a', { authFile: `${authFile}-` })),
        'USERS_UNREADABLE',
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is encrypted only if asked for, and what belongs to that is not taken without', () => {
    assert.deepEqual(readTarget('a', { tls: true }).tls, {
      ca: undefined,
      cert: undefined,
      key: undefined,
      isVerified: true,
    })
    assert.equal(readTarget('a', { tls: true, insecure: true }).tls?.isVerified, false)
    assert.equal(
      codeOf(() => readTarget('a', { insecure: true })),
      'USAGE',
    )
    assert.equal(
      codeOf(() => readTarget('a', { ca: 'x' })),
      'USAGE',
    )
    assert.equal(
      codeOf(() => readTarget('a', { tls: true, ca: '/none' })),
      'CERTIFICATES_UNUSABLE',
    )
  })
})
