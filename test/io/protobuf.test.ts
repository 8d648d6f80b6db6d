import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messages } from '#lib/io/protobuf'

const trees = messages({
  Tree: {
    name: [1, 'string'],
    children: [2, 'Tree', 'repeated'],
    first: [3, 'Tree'],
    sizes: [4, 'int64', 'repeated'],
    weights: [5, 'float', 'repeated'],
    raw: [6, 'bytes'],
    scale: [7, 'double'],
    kind: [8, 'int32'],
    isLeaf: [9, 'bool'],
    words: [10, 'string', 'repeated'],
  },
})

const decode = (...bytes: number[]) => trees.decode('Tree', Uint8Array.from(bytes), 'a.bin')
const damage = (bytes: Uint8Array) => {
  try {
    trees.decode('Tree', bytes, 'a.bin')
    return undefined
  } catch (error) {
    return error
  }
}

describe('messages after a table', () => {
  test('come back as they went', () => {
    const tree = {
      name: 'röt',
      children: [{ name: 'a' }, { kind: -3, words: ['', 'x'] }],
      first: { isLeaf: true },
      sizes: [0n, -1n, 2n ** 63n - 1n],
      weights: [0.5, -Infinity],
      raw: Uint8Array.of(0, 255),
      scale: 1e-300,
    }
    const back = trees.decode('Tree', trees.encode('Tree', tree), 'a.bin')
    expect(back).toMatchObject(tree)
    expect(back.kind).toBe(0)
    expect(back.children[0]!.first).toBeUndefined()
    expect(back.children[0]!.sizes).toEqual([])
  })

  test('are the bytes of the format: numbers packed, a 0 that is set written', () => {
    expect([...trees.encode('Tree', { name: 'ab', sizes: [1n, 300n], kind: 0 })]).toEqual([10, 2, 97, 98, 34, 3, 1, 172, 2, 64, 0])
  })

  test('are read packed or not, and without the fields that the table has not', () => {
    expect(decode(32, 1, 32, 5).sizes).toEqual([1n, 5n])
    expect(decode(34, 2, 1, 5).sizes).toEqual([1n, 5n])
    expect(decode(0xa2, 0x06, 1, 7, 10, 1, 97).name).toBe('a')
  })
})

describe('damaged bytes', () => {
  test.each([
    ['a length that leads outside', [10, 200, 1, 97]],
    ['a length of 4 GB', [10, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a message that reaches past the one around it', [26, 2, 26, 4, 10, 1, 97, 0]],
    ['another wire type', [8, 1]],
    ['a list of floats cut off', [42, 3, 0, 0, 0]],
    ['a number cut off', [64, 0x80]],
    ['a list that ends within a number', [34, 1, 0x80]],
    ['field number 0', [0, 0]],
    ['a wire type that there is not', [15]],
    ['a group that does not end', [0xa3, 0x06]],
  ])('%s: INVALID_FILE', (_, bytes) => {
    expect(() => decode(...bytes)).toThrowError(
      expect.objectContaining({ code: 'INVALID_FILE', message: expect.stringContaining('a.bin: damaged: ') }),
    )
  })

  test('depth, messages without end, and groups in one another are refused before they fill stack or memory', () => {
    const deep = new Uint8Array(300_000)
    for (let at = 0, left = deep.length; left > 8; ) {
      const size = left > 0x200000 ? 4 : left > 0x4000 + 4 ? 3 : left > 0x80 + 3 ? 2 : 1
      left -= size + 1
      deep[at++] = 26
      for (let rest = left, digit = 0; digit < size; digit++, rest >>>= 7) deep[at++] = (rest & 0x7f) | (digit < size - 1 ? 0x80 : 0)
    }
    expect(damage(deep)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringContaining('100 messages in one another') })
    expect(damage(new Uint8Array(2 ** 22).fill(18).map((_, at) => (at % 2 ? 0 : 18)))).toMatchObject({
      message: expect.stringContaining('messages'),
    })
    expect(damage(new Uint8Array(200_000).fill(0xa3).map((_, at) => (at % 2 ? 0x06 : 0xa3)))).toMatchObject({ code: 'INVALID_FILE' })
  })

  test('any bytes give a message or INVALID_FILE', () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.constantFrom(10, 18, 26, 34, 42, 0, 1, 2, 3, 5, 200), { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
    )
    fc.assert(
      fc.property(any, (bytes) => {
        const error = damage(bytes)
        if (error === undefined) return
        expect(error).toMatchObject({ name: 'ConvlaneError', code: 'INVALID_FILE' })
      }),
      { numRuns: 500 },
    )
  })
})
