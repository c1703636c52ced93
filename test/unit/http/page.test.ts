import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { readPage } from '../../../src/http/page.ts'

/** What README.md and docs say of it. */
const PAGE_BYTES_MAX = 150_000

const page = readPage()
assert.ok(page !== null, '`npm run build` makes the page')
const html = page.body.toString()
const policy = page.headers['content-security-policy'] ?? ''

function allowed(directive: string): string | undefined {
  return policy.split('; ').find((text) => text.startsWith(`${directive} `))
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

describe('the page of the side door', () => {
  it('is one file of less than 150 KB', () => {
    assert.ok(page.body.length < PAGE_BYTES_MAX, `${page.body.length} bytes`)
    assert.ok(page.body.length > 20_000)
  })

  it('names nothing to be fetched', () => {
    const fetched = html.match(/<(?:link|img|script|iframe|object|embed)\b[^>]*>/g)
    assert.equal(fetched?.length, 2, fetched?.join('\n'))
    assert.match(html, /<link\s+rel="icon"\s+href="data:image\/svg\+xml,/)
    assert.ok(html.includes('<script>'))
    assert.doesNotMatch(html, /@import|url\(/)
  })

  it('has a policy that lets this script and this style run, and nothing else', () => {
    const [, script = ''] = /<script>(.*?)<\/script>/s.exec(html) ?? []
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? []
    assert.ok(script.length > 10_000 && style.length > 1000)
    assert.equal(allowed('script-src'), `script-src ${hash(script)}`)
    assert.equal(allowed('style-src'), `style-src ${hash(style)}`)
    assert.equal(allowed('default-src'), "default-src 'none'")
    assert.equal(allowed('connect-src'), "connect-src 'self'")
    assert.equal(allowed('frame-ancestors'), "frame-ancestors 'none'")
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
  })

  it('carries no handler in an attribute, which the policy would refuse', () => {
    const markup = html.replace(/<script>.*?<\/script>/s, '').replace(/<style>.*?<\/style>/s, '')
    assert.doesNotMatch(markup, /\son\w+=|\sstyle=/)
  })

  it('carries the licence of what draws the charts', () => {
    assert.match(html, /The MIT License \(MIT\)\s+Copyright \(c\) \d+ Leon Sorokin/)
  })

  it('is none where it was not built', () => {
    assert.equal(readPage('/nowhere/page.html'), null)
  })
})
