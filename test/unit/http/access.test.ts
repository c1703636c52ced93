import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Access } from '../../../src/http/access.ts'

describe('who may ask at the side door', () => {
  it('is everybody where there is no token', () => {
    assert.ok(new Access('127.0.0.1', '').isAllowed(undefined))
  })

  it('is who brings the whole token, and nothing but it', () => {
    const access = new Access('0.0.0.0', 'secret')
    for (const header of ['Bearer secret', 'bearer  secret ']) {
      assert.ok(access.isAllowed(header), header)
    }
    for (const header of [
      undefined,
      '',
      'secret',
      'Bearer',
      'Bearer secre',
      'Bearer secrets',
      'Basic secret',
    ]) {
      assert.ok(!access.isAllowed(header), header)
    }
  })

  it('calls a server on a loopback address by a name of this machine', () => {
    const local = new Access('127.0.0.1', '')
    for (const host of [
      'localhost',
      'LOCALHOST:9150',
      '127.0.0.1:1',
      '127.8.9.1',
      '[::1]:9150',
      'rat.localhost',
    ]) {
      assert.ok(local.isMeant(host), host)
    }
    for (const host of [
      undefined,
      '',
      'example.com',
      '127.0.0.1.example.com',
      'localhost.example.com',
      '[::2]',
      '1.2.3.4:9150',
    ]) {
      assert.ok(!local.isMeant(host), host)
    }
    assert.ok(new Access('0.0.0.0', 'secret').isMeant('example.com'))
  })
})
