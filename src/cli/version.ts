/** The version of this program, from its package.json. */

import { readFileSync } from 'node:fs'

/**
 * Finds package.json in one of the folders above this module, of which there are as many as the
 * sources, run as they are or compiled to dist/, lie deep.
 */
export function programVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const version = versionIn(new URL('package.json', folder))
    if (version !== undefined) return version
    if (folder.pathname === '/') throw new Error('the package.json of this program is missing')
  }
}

function versionIn(file: URL): string | undefined {
  try {
    const description: { name?: unknown; version?: unknown } = JSON.parse(
      readFileSync(file, 'utf8'),
    )
    const { name, version } = description
    return name === 'rat-memcached' && typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}
