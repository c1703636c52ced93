// The test suite of Keyv against the installed package; copied there and run by main.ts.
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { Keyv } from 'keyv'
import { RatMemCache } from 'rat-memcached'
import { KeyvStore } from 'rat-memcached/keyv'
import * as test from 'vitest'

const cache = await RatMemCache.builder().preset('memoryOnly').build()
const store = () => new KeyvStore(cache)
keyvTestSuite(test, Keyv, store)
keyvIteratorTests(test, Keyv, store)
