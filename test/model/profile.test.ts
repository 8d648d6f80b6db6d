import { describe, expect, test } from 'vitest'
import { conv2d, dense, flatten, maxPool2d, sequential, sgd } from '../../lib/index'
import { meanSquaredError } from '../../lib/ops/meanSquaredError'
import { expectError, type RuntimeName, randomTensor } from '../support/models'

const untrained = (runtime: RuntimeName) =>
  sequential({ input: [6, 6, 1], seed: 2, runtime }, conv2d(2, 3, { activation: 'relu' }), maxPool2d(2), flatten(), dense(3))
const small = (runtime: RuntimeName) =>
  untrained(runtime).compile({ optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }), loss: 'softmaxCrossEntropy' })

describe('profile', () => {
  test('every step of training with its time, on a copy of the weights', async () => {
    const model = small('native')
    const before = await model.getWeights()
    const profile = await model.profile({ batchSize: 8, steps: 3 })
    expect(await model.getWeights()).toEqual(before)
    expect([profile.mode, profile.batchSize]).toEqual(['train', 8])
    const conv = profile.steps.find(({ op }) => op === 'conv2d')!
    expect(conv).toMatchObject({ layer: 'conv2d', algorithm: expect.stringMatching(/./) })
    expect(conv.gflops! * 1e9 * conv.seconds).toBeCloseTo(2 * 8 * 16 * 9 * 2, 3)
    expect(profile.steps.map(({ op }) => op)).toEqual(
      expect.arrayContaining(['softmaxCrossEntropy', 'maxPool2dBackward', 'conv2dBackwardWeights', 'sgd']),
    )
    expect(profile.seconds).toBeGreaterThan(0)
    expect(`${profile}`).toMatch(/op +layer +algorithm +µs +share +GFLOP\/s +GB\/s +of limit/)
    expect(conv.gbytesPerSecond * 1e9 * conv.seconds).toBeCloseTo(4 * (8 * 36 + 9 * 2 + 2 + 8 * 16 * 2), 3)
    for (const { seconds, gflops = 0, gbytesPerSecond, ofLimit } of profile.steps) {
      expect(seconds).toBeGreaterThan(0)
      expect(ofLimit).toBeGreaterThan((0.999 * gflops) / profile.limits.gflops)
      expect(gbytesPerSecond).toBeGreaterThan(0)
    }
    expect(profile.limits.gbytesPerSecond).toBeGreaterThan(0)
    expect(`${profile}`).toMatch(/limits on \d+ threads?: \d+ GFLOP\/s, \d+ GB\/s$/)
  })

  test('of predict before compile; not of the reference', async () => {
    expect((await untrained('native').profile()).mode).toBe('predict')
    const own = untrained('native').compile({
      optimizer: sgd({ learningRate: 1 }),
      loss: (predictions, targets) => meanSquaredError(predictions, targets).loss,
    })
    expect((await own.profile()).mode).toBe('predict')
    await own.trainOnBatch(randomTensor([2, 6, 6, 1], 1), randomTensor([2, 3], 2))
    expect((await own.profile()).mode).toBe('train')
    await expectError(() => untrained('reference').profile(), 'UNSUPPORTED', 'profile: the reference runtime is not timed')
    await expectError(() => untrained('native').profile({ steps: 0 }), 'INVALID_ARGUMENT', 'profile: steps')
  })
})
