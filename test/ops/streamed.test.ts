import { expect, test } from 'vitest'
import { batchNormOf } from '../support/batchNormCases'
import { checkProgram } from '../support/checkCase'
import { poolPassesOfNd } from '../support/poolingCases'

// Results of more than 24 MiB in and out go past the caches in a program, whose operands are aligned, and not in an eager call.
const pooling = (C: number) =>
  poolPassesOfNd({ N: 2, image: [160, Math.ceil(16384 / C)], C, size: [3, 3], stride: [2, 2], padding: [[1, 1], [1, 1]] }) // biome-ignore format: one case
    .filter(({ op, attributes }) => /^(max|average)/.test(op) && !attributes.countPadding)
const norms = batchNormOf([2, 100, 130, 128]).filter(({ op, name }) => op === 'batchNorm' && name.includes('residual, relu'))

test('what is written past the caches is what is written through them', async () => {
  const cases = [...pooling(48), ...norms]
  expect(cases.length).toBeGreaterThan(4)
  for (const one of cases) await checkProgram(one)
}, 300_000)
