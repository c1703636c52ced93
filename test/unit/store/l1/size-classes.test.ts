import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LARGE, SizeClasses } from '../../../../src/store/l1/size-classes.ts'

const PAGE_SIZES = [65_536, 131_072, 262_144, 524_288, 1_048_576]

for (const pageBytes of PAGE_SIZES) {
  describe(`the size classes of a page of ${pageBytes / 1024} KiB`, () => {
    const classes = new SizeClasses(pageBytes)
    const ids = Array.from({ length: classes.count }, (_, i) => i + 1)
    const bytesOf = (classId: number): number => classes.chunkBytes[classId]!

    it('are at most 62 and ascend without repeating a size', () => {
      assert.ok(classes.count <= 62)
      assert.ok(classes.chunkBytes.slice(classes.count + 1).every((bytes) => bytes === 0))
      for (const id of ids.slice(1)) assert.ok(bytesOf(id) > bytesOf(id - 1), `class ${id}`)
    })

    it('begin at 64 bytes and end at half a page', () => {
      assert.equal(bytesOf(1), 64)
      assert.equal(bytesOf(classes.count), pageBytes / 2)
      assert.equal(classes.chunkBytesMax, pageBytes / 2)
    })

    it('are multiples of eight, as handles need them', () => {
      for (const id of ids) assert.equal(bytesOf(id) % 8, 0)
    })

    it('fill a page as far as chunks of eight bytes more would not', () => {
      for (const id of ids) {
        const count = classes.chunksPerPage[id]!
        assert.ok(count * bytesOf(id) <= pageBytes)
        assert.ok(count * (bytesOf(id) + 8) > pageBytes, `class ${id} could have larger chunks`)
      }
    })

    it('hold every size, and the class below would be too small for it', () => {
      // Every size where classes are dense; above, all around each boundary.
      const sizes = new Set(Array.from({ length: 9000 }, (_, size) => size))
      for (const id of ids) {
        for (let size = bytesOf(id) - 9; size <= bytesOf(id) + 9; size++) sizes.add(size)
      }
      for (const size of sizes) {
        const id = classes.classFor(size)
        if (size > classes.chunkBytesMax) {
          assert.equal(id, LARGE, `${size} bytes`)
          continue
        }
        assert.ok(bytesOf(id) >= size, `${size} bytes in class ${id}`)
        assert.ok(id === 1 || bytesOf(id - 1) < size, `${size} bytes would fit class ${id - 1}`)
      }
      assert.equal(classes.classFor(2 ** 31 - 1), LARGE)
    })

    it('waste 8 % of a chunk on average, of sizes up to a sixteenth of a page', () => {
      const largest = pageBytes / 16
      let waste = 0
      for (let size = 64; size <= largest; size++) {
        waste += 1 - size / bytesOf(classes.classFor(size))
      }
      const average = waste / (largest - 63)
      assert.ok(average < 0.08, `${average} is wasted`)
    })
  })
}

describe('a size class that is added', () => {
  for (const pageBytes of PAGE_SIZES) {
    it(`takes what fits it and nothing else, in pages of ${pageBytes / 1024} KiB`, () => {
      const plain = new SizeClasses(pageBytes)
      const classes = new SizeClasses(pageBytes)
      const added: number[] = []
      for (const bytes of [1083, 160, 9001, 1085, 300, 5000, 700, 1300, 20_000]) {
        const id = classes.add(bytes)
        if (id === 0) continue
        added.push(id)
        assert.ok(id > plain.count && id <= 62 && classes.isAdded(id))
        assert.ok(classes.chunkBytes[id]! >= bytes)
        assert.equal(classes.chunksOf(bytes), classes.chunksPerPage[id])
      }
      assert.ok(added.length >= 5)
      const check = (): void => {
        for (let size = 1; size < 30_000; size += size < 2000 ? 1 : 7) {
          const id = classes.classFor(size)
          const fitting = Array.from({ length: classes.count }, (_, i) => i + 1)
            .filter((other) => classes.chunkBytes[other]! >= size)
            .reduce((a, b) => (classes.chunkBytes[b]! < classes.chunkBytes[a]! ? b : a))
          assert.equal(classes.chunkBytes[id], classes.chunkBytes[fitting], `${size} bytes`)
        }
      }
      check()
      // An id that is given back is given out again.
      classes.remove(added[1]!)
      check()
      assert.equal(classes.add(444), added[1])
      check()
      for (const id of added) classes.remove(id)
      for (let size = 1; size < 30_000; size++) {
        assert.equal(classes.classFor(size), plain.classFor(size))
      }
    })
  }

  it('is refused when all ids are given away', () => {
    const classes = new SizeClasses(2 ** 20)
    let count = 0
    for (let bytes = 101; classes.add(bytes) !== 0; bytes += 100) count++
    assert.equal(count, 62 - new SizeClasses(2 ** 20).count)
  })
})

describe('the size classes of a page smaller than the table of sizes', () => {
  it('leave what is larger than half a page to whole pages', () => {
    const classes = new SizeClasses(4096)
    assert.equal(classes.chunkBytes[classes.classFor(2048)], 2048)
    assert.equal(classes.classFor(2049), LARGE)
    assert.equal(classes.classFor(4096), LARGE)
    assert.equal(classes.classFor(4097), LARGE)
  })
})
