import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ServerError } from '../../../../src/errors.ts'
import { FAULT, faultOf, orMissing, unusable } from '../../../../src/store/l2/fault.ts'

function errorOf(message: string, code?: string, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause })
  return code === undefined ? error : Object.assign(error, { code })
}

/** As `classic-level` reports that opening failed. */
function notOpened(message: string, code?: string): Error {
  return errorOf('Database failed to open', 'LEVEL_DATABASE_NOT_OPEN', errorOf(message, code))
}

/** What was seen, of LevelDB on Linux unless said otherwise. */
const SEEN: readonly (readonly [fault: string, error: unknown])[] = [
  [FAULT.NO_SPACE, errorOf('IO error: d/000013.ldb: No space left on device', 'LEVEL_IO_ERROR')],
  [FAULT.NO_SPACE, notOpened('IO error: d/000017.ldb: No space left on device', 'LEVEL_IO_ERROR')],
  [FAULT.NO_SPACE, errorOf('IO error: d/000013.log: Disk quota exceeded', 'LEVEL_IO_ERROR')],
  [
    FAULT.NO_SPACE,
    errorOf('IO error: d: There is not enough space on the disk.', 'LEVEL_IO_ERROR'),
  ],
  [FAULT.NO_SPACE, errorOf('ENOSPC: no space left on device, write', 'ENOSPC')],
  [FAULT.NO_SPACE, errorOf('write', 'EDQUOT')],
  [FAULT.IO, errorOf('IO error: d/000005.ldb: Input/output error', 'LEVEL_IO_ERROR')],
  [FAULT.IO, errorOf('IO error: d/000005.log: No such file or directory', 'LEVEL_IO_ERROR')],
  [FAULT.IO, errorOf('EACCES: permission denied', 'EACCES')],
  [FAULT.IO, 'not even an error'],
  [FAULT.CORRUPT, errorOf('Corruption: bad entry in block', 'LEVEL_CORRUPTION')],
  [FAULT.CORRUPT, notOpened('Corruption: checksum mismatch', 'LEVEL_CORRUPTION')],
  [FAULT.LOCKED, notOpened('IO error: lock d/LOCK: already held by process', 'LEVEL_LOCKED')],
  [
    FAULT.LOCKED,
    notOpened('IO error: lock d/LOCK: Resource temporarily unavailable', 'LEVEL_LOCKED'),
  ],
  [FAULT.CLOSED, errorOf('Database is not open', 'LEVEL_DATABASE_NOT_OPEN')],
  [FAULT.CLOSED, errorOf('Iterator is not open', 'LEVEL_ITERATOR_NOT_OPEN')],
]

describe('what kind of trouble it is', () => {
  for (const [fault, error] of SEEN) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    it(`${fault}: ${cause instanceof Error ? cause.message : String(cause)}`, () => {
      assert.equal(faultOf(error), fault)
    })
  }

  it('is the same behind an error of this program', () => {
    for (const [fault, error] of SEEN) assert.equal(faultOf(unusable('cannot write', error)), fault)
  })

  it('is damage when the files of a generation that is there are not', () => {
    for (const message of [
      'Invalid argument: d: does not exist (create_if_missing is false)',
      'IO error: d/MANIFEST-000002: No such file or directory',
    ]) {
      assert.equal(faultOf(notOpened(message)), FAULT.IO)
      assert.equal(faultOf(orMissing(notOpened(message))), FAULT.CORRUPT)
    }
    const [, full] = SEEN[1]!
    assert.equal(faultOf(orMissing(full)), FAULT.NO_SPACE)
  })
})

describe('an error of the disk tier', () => {
  it('names what could not be done and the innermost reason', () => {
    const error = unusable('cannot open d', notOpened('Corruption: checksum mismatch'))
    assert.ok(error instanceof ServerError)
    assert.equal(error.code, 'DATA_DIR_UNUSABLE')
    assert.equal(error.message, 'cannot open d: Corruption: checksum mismatch')
  })

  it('stays as it is when it is one already', () => {
    const error = unusable('cannot read d', errorOf('reason'))
    assert.equal(unusable('cannot open d', error), error)
  })
})
