/**
 * Builds the page of the HTTP door, a part of `npm run build`: the browser's program and its style, put
 * into index.html, so that dist/page.html is all that a browser ever asks for. What is served is decided
 * in src/http/page.ts.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** What the oldest browsers need not know: these are of 2023. */
const TARGET = ['chrome115', 'firefox115', 'safari16.4']

const root = new URL('../', import.meta.url)

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['web/main.ts', 'web/page.css'],
  outdir: 'dist',
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  target: TARGET,
  legalComments: 'none',
})
const text = (suffix: string): string =>
  outputFiles.find(({ path }) => path.endsWith(suffix))!.text.trim()

const parts = {
  licence: readFileSync(new URL('node_modules/uplot/LICENSE', root), 'utf8').trim(),
  style: text('.css'),
  // Nothing in the program may end the element that it stands in.
  script: text('.js').replaceAll('</script', String.raw`<\/script`),
}
const page = readFileSync(new URL('index.html', import.meta.url), 'utf8').replaceAll(
  /\/\* (licence|style|script) \*\//g,
  (_, name: keyof typeof parts) => parts[name],
)
mkdirSync(new URL('dist/', root), { recursive: true })
writeFileSync(new URL('dist/page.html', root), page)
