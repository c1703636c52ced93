#!/usr/bin/env node
/** The executable; everything it does is in src/cli/main.ts. */

import { main } from '../src/cli/main.ts'

await main(process.argv.slice(2), process.env)
