/**
 * The page at `/`: one file that `npm run build` has made of web/, read once. It holds no figure, so
 * whoever reaches the door may have it; what it shows it asks for at `/stats.json`, with the token.
 *
 * What a browser may do with it is nailed down: its own script and style, by their hashes, and requests to
 * where it came from. Nothing of a server's answer can become markup or code.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Page {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Null where the sources run unbuilt. */
export function readPage(file?: string): Page | null {
  let body: Buffer
  try {
    body = readFileSync(file ?? builtPage())
  } catch {
    return null
  }
  return { body, headers: headersOf(body.toString()) }
}

/** package.json says where it is, seen from here and from where this file is compiled to. */
function builtPage(): string {
  return createRequire(import.meta.url).resolve('#page')
}

function headersOf(html: string): Page['headers'] {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'x-frame-options': 'DENY',
  }
}

/** The one element of this name that has contents, as the policy names it. */
function hashOf(html: string, element: 'script' | 'style'): string {
  const [, text = ''] = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(html) ?? []
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
