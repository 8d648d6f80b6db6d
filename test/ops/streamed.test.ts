import { expect, test } from 'vitest'
import { batchNormOf } from '../support/batchNormCases'
import { checkProgram } from '../support/checkCase'
import { passesOf } from '../support/convolutionCases'
import { poolPassesOfNd } from '../support/poolingCases'

// Results of more than 24 MiB in and out go past the caches in a program, whose operands are aligned, and not in an eager call.
const pooling = (C: number) =>
  poolPassesOfNd({ N: 2, image: [160, Math.ceil(16384 / C)], C, size: [3, 3], stride: [2, 2], padding: [[1, 1], [1, 1]] }) // biome-ignore format: one case
    .filter(({ op, attributes }) => /^(max|average)/.test(op) && !attributes.countPadding)
const grouped = { H: 320, W: 320, C: 64, KH: 3, KW: 3, N: 1, padding: [[1, 1], [1, 1]] } as const // biome-ignore format: one line
const convolutions = [
  passesOf({ ...grouped, OC: 16, groups: 16, stride: [2, 2] })[1]!, // the gradient, two columns at a time
  passesOf({ ...grouped, OC: 64, groups: 4, W: 170, bias: true, activation: 'relu' })[0]!,
]
const norms = batchNormOf([2, 100, 130, 128]).filter(({ op, name }) => op === 'batchNorm' && name.includes('residual, relu'))

test('what is written past the caches is what is written through them', async () => {
  const cases = [...pooling(48), ...norms, ...convolutions]
  expect(cases.length).toBeGreaterThan(4)
  for (const one of cases) await checkProgram(one)
}, 300_000)
