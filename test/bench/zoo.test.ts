import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { finishedOf, markdownTable, readResults, type ZooResult } from '../../bench/zoo-results'
import { temporaryFolder } from '../support/folder'

const result: ZooResult = {
  network: 'mlp',
  data: 'MNIST',
  options: ['--epochs', '2'],
  parameters: 23_860,
  epochs: 2,
  seconds: 84.2,
  imagesPerSecond: 1425.4,
  testAccuracy: 0.96547,
  isa: 'avx2',
  threads: 2,
}

test('the table', () => {
  const others = [
    { ...result, network: 'lenet', seconds: 5025 },
    { ...result, network: 'vgg', seconds: 9.96 },
  ]
  expect(
    markdownTable([result, ...others])
      .split('\n')
      .slice(2),
  ).toEqual([
    '| mlp | MNIST | 23,860 | 2 | 1 min 24 s | 1,425 | 96.54 % |',
    '| lenet | MNIST | 23,860 | 2 | 1 h 24 min | 1,425 | 96.54 % |',
    '| vgg | MNIST | 23,860 | 2 | 10.0 s | 1,425 | 96.54 % |',
  ])
})

test('what is finished: the same network on the same data with the same options', () => {
  expect(finishedOf([result], result)).toBe(result)
  expect(finishedOf([result], { ...result, options: [] })).toBeUndefined()
  expect(finishedOf([result], { ...result, data: 'CIFAR-10' })).toBeUndefined()
  expect(finishedOf([result], { ...result, network: 'vgg' })).toBeUndefined()
})

test('the results file', () => {
  const file = join(temporaryFolder(), 'results.json')
  expect(readResults(file)).toEqual([])
  writeFileSync(file, JSON.stringify([result]))
  expect(readResults(file)).toEqual([result])
  for (const text of ['{}', '[1]', 'no JSON']) {
    writeFileSync(file, text)
    expect(() => readResults(file)).toThrow(`${file}: not a results file`)
  }
})
