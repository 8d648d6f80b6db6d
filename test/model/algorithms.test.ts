import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ConvolutionAlgorithm, conv2d, convTranspose2d, flatten, loadModel, sequential, sgd } from '../../lib/index'
import * as ops from '../../lib/ops'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor } from '../support/models'

const optimizer = sgd({ learningRate: 0.01 })
const loss = 'meanSquaredError' as const

/** Large enough for Winograd's algorithms to be chosen. */
const wide = (algorithm?: ConvolutionAlgorithm) =>
  sequential(
    { input: [24, 24, 48], seed: 1, runtime: 'native' },
    conv2d(48, 3, { padding: 'same', ...(algorithm && { algorithm }) }),
    convTranspose2d(48, 3, { padding: 'same', ...(algorithm && { algorithm }) }),
    flatten(),
  )

/** Algorithms of all passes of the convolutions, in the order of the steps. */
async function chosen(model: ReturnType<typeof wide>): Promise<string[]> {
  const { steps } = await model.profile({ batchSize: 1, steps: 1 })
  return steps.filter(({ op }) => op.startsWith('conv')).map(({ algorithm }) => algorithm)
}
const isWinograd = (name: string) => /^winograd[246]$/.test(name)

describe('how convolutions are computed', () => {
  test("Winograd's where it is cheaper, unless compile says no; a layer that names it has it all the same", async () => {
    const byDefault = await chosen(wide().compile({ optimizer, loss }))
    expect(byDefault).toHaveLength(5) // the first layer's input has no gradient
    expect(byDefault.some(isWinograd)).toBe(true)
    const refused = await chosen(wide().compile({ optimizer, loss, winograd: false }))
    expect(refused.some(isWinograd)).toBe(false)
    expect(await chosen(wide('noWinograd').compile({ optimizer, loss }))).toEqual(refused)
    const named = await chosen(wide('winograd').compile({ optimizer, loss, winograd: false }))
    expect(named.every(isWinograd)).toBe(true)
    expect(new Set(await chosen(wide('winograd2').compile({ optimizer, loss })))).toEqual(new Set(['winograd2']))
    expect(new Set(await chosen(wide('im2col').compile({ optimizer, loss })))).toEqual(new Set(['im2col']))
  })

  test('predict obeys, too', async () => {
    const [free, refused, plain] = [wide(), wide().compile({ optimizer, loss, winograd: false }), wide('noWinograd')]
    const x = randomTensor([2, 24, 24, 48], 1)
    const [one, two, three] = await Promise.all([free.predict(x), refused.predict(x), plain.predict(x)])
    expect(two).toEqual(three)
    expect(two).not.toEqual(one)
    free.compile({ optimizer, loss, winograd: false })
    expect(await free.predict(x)).toEqual(two)
  })

  test('is saved with the model', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    const x = randomTensor([1, 24, 24, 48], 2)
    for (const model of [wide().compile({ optimizer, loss, winograd: false }), wide('winograd2')]) {
      await model.save(file)
      const again = await loadModel<typeof model>(file)
      expect(await again.predict(x)).toEqual(await model.predict(x))
      expect(await chosen(again)).toEqual(await chosen(model))
    }
  })

  test('a run with another choice does not resume', async () => {
    const file = join(temporaryFolder(), 'checkpoint.safetensors')
    const data = { x: randomTensor([2, 24, 24, 48], 1), y: randomTensor([2, 24 * 24 * 48], 2) }
    await wide().compile({ optimizer, loss, winograd: false }).fit(data, { checkpoint: { file } })
    const other = wide().compile({ optimizer, loss })
    await expectError(
      () => other.fit(data, { resume: file, epochs: 2 }),
      'INVALID_ARGUMENT',
      'its run had winograd false, this one has null',
    )
  })

  test('refuses what is no choice, and what cannot run', async () => {
    await expectError(() => wide().compile({ optimizer, loss, winograd: 'no' as never }), 'INVALID_ARGUMENT', 'compile: winograd')
    await expectError(() => conv2d(1, 3, { algorithm: 'fft' as never }), 'INVALID_ARGUMENT', 'conv2d: algorithm')
    const made = (...layers: readonly unknown[]) => sequential({ input: [9, 9, 4] }, ...(layers as [ReturnType<typeof conv2d>]))
    const needs =
      /^(conv2d|convTranspose2d) "stem": algorithm 'winograd.?' needs two axes, one group, stride and dilation 1 and a window of 3 x 3/
    const name = 'stem'
    for (const layer of [
      () => conv2d(4, 1, { name, algorithm: 'winograd' }),
      () => conv2d(4, 3, { name, stride: 2, algorithm: 'winograd2' }),
      () => conv2d(4, 3, { name, dilation: [1, 2], algorithm: 'winograd4' }),
      () => conv2d(4, 3, { name, groups: 2, algorithm: 'winograd' }),
      () => conv2d(4, 5, { name, algorithm: 'winograd6' }),
      () => convTranspose2d(4, 2, { name, algorithm: 'winograd' }),
    ])
      await expectError(() => made(layer()), 'INVALID_ARGUMENT', needs)
    made(
      conv2d(4, 5, { algorithm: 'winograd4' }),
      conv2d(4, 3, { algorithm: 'winograd6' }),
      convTranspose2d(4, 3, { algorithm: 'winograd' }),
    )
  })

  test('CONVLANE_WINOGRAD=0 refuses what nobody names', () => {
    const script = `
      const { loadNative } = require(${JSON.stringify(join(process.cwd(), 'dist/native.js'))})
      const operand = (offset, shape) => ({ space: 'buffer', offset, dtype: 'float32', shape, batched: false })
      const step = (algorithm) => ({
        op: 'conv2d', x: operand(0, [1, 24, 24, 48]), w: operand(1, [3, 3, 48, 48]), y: operand(2, [1, 24, 24, 48]),
        stride: [1, 1], padding: [[1, 1], [1, 1]], dilation: [1, 1], groups: 1, activation: 'linear', algorithm,
      })
      const first = loadNative().algorithms(step('auto'))[0]
      const run = (algorithm) => {
        const buffers = [new Float32Array(24 * 24 * 48).fill(1), new Float32Array(9 * 48 * 48).fill(1), new Float32Array(24 * 24 * 48)]
        loadNative().execute(step(algorithm), buffers)
        return Math.round(buffers[2][30 * 48])
      }
      console.log(first, run('auto'), run('winograd'), run('winograd4'))`
    const run = (value: string) => {
      const env = { ...process.env, CONVLANE_WINOGRAD: value }
      return spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' }).stdout.trim().split(' ')
    }
    expect(run('0').map((word) => isWinograd(word) || word)).toEqual(['indirect', '432', '432', '432'])
    expect(run('1').map((word) => isWinograd(word) || word)).toEqual([true, '432', '432', '432'])
  })

  test('eager', () => {
    const [x, w] = [randomTensor([1, 24, 24, 48], 1), randomTensor([3, 3, 48, 48], 2)]
    const run = (algorithm: ConvolutionAlgorithm) => ops.conv2d(x, w, { runtime: 'native', padding: 1, algorithm }).data
    expect(run('noWinograd')).toEqual(run('indirect'))
    expect([run('winograd2'), run('winograd4'), run('winograd6')]).toContainEqual(run('winograd'))
  })
})
