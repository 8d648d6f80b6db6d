import type { Binding, ProgramSpec } from '../../binding'
import { adam, batchNorm, conv2d, dense, dropout, flatten, flip, maxPool2d, sequential, sgd } from '../../lib/index'
import { loadNative } from '../../lib/native'
import { heavy, regression } from '../native/programs.cjs'
import { randomTensor, someLabels } from '../support/models'

export interface Sample {
  readonly spec: ProgramSpec
  readonly stateElements: number
}

/** What models give the addon: training with an augmentation and a guard, evaluation, prediction with what has been folded and kept. */
async function modelSpecs(): Promise<Sample[]> {
  const binding = loadNative() as { -readonly [K in keyof Binding]: Binding[K] }
  const { createProgram } = binding
  const samples: Sample[] = []
  binding.createProgram = (spec, state) => {
    samples.push({ spec, stateElements: state?.elements ?? 0 })
    return createProgram(spec, state)
  }
  try {
    const data = { x: randomTensor([6, 8, 8, 2], 1), y: someLabels(6, 3) }
    const layers = () => [conv2d(4, 3, { padding: 1 }), batchNorm({ activation: 'relu' }), maxPool2d(2), flatten(), dropout(0.2), dense(3)]
    for (const optimizer of [sgd({ learningRate: 0.1, momentum: 0.9 }), adam({ clip: { globalNorm: 1 } })]) {
      const model = sequential({ input: [8, 8, 2], seed: 1, runtime: 'native' }, ...layers())
      model.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
      await model.fit(data, { epochs: 1, batchSize: 3, augment: [flip()], validationData: data })
      await model.predict(data.x)
      model.dispose()
    }
  } finally {
    binding.createProgram = createProgram
  }
  return samples
}

/** Programs that do all there is: updates, preludes, preparation, guards, both lanes. */
export async function sampleSpecs(): Promise<Sample[]> {
  return [regression(4), regression(3, 'infer'), heavy(2, { size: 24, update: true }), ...(await modelSpecs())]
}
