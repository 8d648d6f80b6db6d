import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { dense, sequential, sgd } from '../../lib/index'
import { randomTensor, runtimes, someLabels } from '../support/models'

const data = { x: randomTensor([8, 4], 1), y: someLabels(8, 3) }

test.each(runtimes)('an AsyncLocalStorage holds behind every await and in every callback (%s)', async (runtime) => {
  const storage = new AsyncLocalStorage<string>()
  const model = sequential({ input: [4], seed: 1, runtime }, dense(3)).compile({
    optimizer: sgd({ learningRate: 0.1 }),
    loss: 'softmaxCrossEntropy',
  })
  const request = (name: string) =>
    storage.run(name, async () => {
      const seen = new Set<string | undefined>()
      const look = () => {
        seen.add(storage.getStore())
      }
      await model.predict(data.x)
      look()
      await model.evaluate(data)
      look()
      await model.getWeights()
      look()
      return [...seen]
    })
  const callbacks: (string | undefined)[] = []
  const note = () => {
    callbacks.push(storage.getStore())
  }
  const training = storage.run('training', () =>
    model.fit(data, { epochs: 2, batchSize: 4, validationData: data, onStep: note, onEpoch: note }),
  )
  expect(await Promise.all(['a', 'b', 'c'].map(request))).toEqual([['a'], ['b'], ['c']])
  await training
  expect(callbacks).toEqual(new Array(6).fill('training'))
  const events = storage.run('events', async () => {
    for await (const _ of model.fitEvents(data, { epochs: 1 })) note()
  })
  await events
  expect(callbacks.slice(6).every((name) => name === 'events')).toBe(true)
  expect(callbacks.length).toBeGreaterThan(6)
})
