/** Writes config/rat-memcached.toml and docs/CONFIG.md from the schema: `npm run docs:config`. */

import { writeFileSync } from 'node:fs'
import { defaultConfig } from '../src/config/load.ts'
import { configReference, sampleFile } from '../src/config/print.ts'

const defaults = defaultConfig()
writeFileSync(new URL('rat-memcached.toml', import.meta.url), sampleFile(defaults))
writeFileSync(new URL('../docs/CONFIG.md', import.meta.url), configReference(defaults))
