import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSuite, SuiteError } from '../../bench/suite'

const folder = mkdtempSync(join(tmpdir(), 'convlane-suite-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(content: unknown) {
  const file = join(folder, 'suite.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return readSuite(file)
}

const conv = (...p: unknown[]) => ({ convs: [{ id: 'c', p }] })

test("the project's own suite", () => {
  const { convs, pools, memory, gemms, train } = readSuite(join(__dirname, '../../bench/suite.json'))
  expect([convs.length, pools.length, memory.length, gemms.length, train.length]).toEqual([14, 2, 3, 3, 3])
  expect(convs[0]).toEqual({ id: 'rn_3x3_64_56', N: 8, C: 64, H: 56, W: 56, OC: 64, KH: 3, KW: 3, stride: 1, pad: 1, groups: 1 })
  expect(gemms[2]).toEqual({ id: '3136x64x576', M: 3136, N: 64, K: 576 })
  expect(train[0]).toEqual({ id: 'lenet', batch: 128, input: [28, 28, 1] })
})

test('a kind may be left out, and numbers may come in an order of their own', () => {
  const { convs, gemms } = read({ gemm_fields: ['K', 'M', 'N'], gemms: [[1, 2, 3]] })
  expect(convs).toEqual([])
  expect(gemms).toEqual([{ id: '2x3x1', M: 2, N: 3, K: 1 }])
})

test('images for ops that memory limits are those of the pools where none are listed', () => {
  const pools = [
    { id: 'a', p: [2, 3, 8, 6, 2, 2, 0] },
    { id: 'b', p: [2, 3, 8, 6, 3, 2, 1] },
  ]
  expect(read({ pools }).memory).toEqual([{ id: '2x8x6x3', shape: [2, 8, 6, 3] }])
  expect(read({ pools, memory: [[4, 5]] }).memory).toEqual([{ id: '4x5', shape: [4, 5] }])
})

test.each([
  ['no JSON', '{', 'not JSON'],
  ['no object', [], 'the suite: expected an object'],
  ['nothing to measure', { shapes: [] }, 'expected convs, pools, memory, gemms or train'],
  ['a kind that is no list', { convs: {} }, 'convs: expected an array'],
  [
    'an item without numbers',
    { convs: [{ id: 'c' }] },
    'convs[0].p: expected 10 integers (N, C, H, W, OC, KH, KW, stride, pad, groups), received nothing',
  ],
  ['too few numbers', conv(1, 2, 3), 'convs[0].p: expected 10 integers (N, C, H, W, OC, KH, KW, stride, pad, groups)'],
  ['a fraction', conv(1.5, 2, 4, 4, 2, 3, 3, 1, 1, 1), 'convs[0].p.N: expected an integer >= 1, received 1.5'],
  ['a text', conv('8', 2, 4, 4, 2, 3, 3, 1, 1, 1), 'convs[0].p.N: expected an integer >= 1, received "8"'],
  ['a zero size', conv(1, 2, 0, 4, 2, 3, 3, 1, 1, 1), 'convs[0].p.H: expected an integer >= 1, received 0'],
  ['groups that do not divide', conv(1, 3, 4, 4, 2, 3, 3, 1, 1, 2), 'groups that divide C and OC'],
  ['a kernel larger than the input', conv(1, 2, 2, 2, 2, 5, 5, 1, 1, 1), 'a kernel within the padded input'],
  ['a window in the padding', { pools: [{ id: 'p', p: [1, 1, 4, 4, 2, 1, 2] }] }, 'padding smaller than the window'],
  ['an image without sizes', { memory: [[]] }, 'memory[0]: expected one to five sizes, channels last'],
  ['a name missing', { convs: [{ p: [1, 2, 4, 4, 2, 3, 3, 1, 1, 1] }] }, 'convs[0].id: expected a name'],
  ['fields that are not those', { gemm_fields: ['M', 'N'], gemms: [[1, 2, 3]] }, 'gemm_fields: expected the names M, N, K'],
  ['an input of another rank', { train: [{ id: 'lenet', batch: 1, input: [28, 28] }] }, 'train[0].input: expected 3 integers (H, W, C)'],
])('refuses %s', (_name, content, message) => {
  expect(() => read(content)).toThrow(SuiteError)
  expect(() => read(content)).toThrow(message)
})

test('a file that is not there', () => {
  expect(() => readSuite(join(folder, 'none.json'))).toThrow(SuiteError)
})
