import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type AutotuneOptions,
  conv2d,
  dense,
  flatten,
  isa,
  loadModel,
  readSafetensors,
  sequential,
  sgd,
  sharedModel,
  weightsSha256,
} from '../../lib/index'
import { isAlgorithm } from '../../lib/program/algorithms'
import { temporaryFolder } from '../support/folder'
import { expectError, type RuntimeName, randomTensor, someLabels } from '../support/models'

const made = (runtime: RuntimeName = 'native') =>
  sequential(
    { input: [12, 12, 8], seed: 1, runtime },
    conv2d(16, 3, { padding: 'same', activation: 'relu' }),
    conv2d(16, 3, { algorithm: 'indirect' }),
    conv2d(8, 5),
    flatten(),
    dense(3),
  )
const model = (autotune: boolean | AutotuneOptions, runtime?: RuntimeName) =>
  made(runtime).compile({ optimizer: sgd({ learningRate: 0.01 }), loss: 'softmaxCrossEntropy', autotune })
const data = { x: randomTensor([32, 12, 12, 8], 1), y: someLabels(32, 3) }

/** The choices that a model file holds. */
async function choicesOf(file: string): Promise<Record<string, string>> {
  const { metadata } = await readSafetensors(file)
  return JSON.parse(metadata.convlane!).algorithms ?? {}
}
/** What a cache file remembers. */
function remembered(file: string): Record<string, string> | undefined {
  return existsSync(file) ? Object.values(JSON.parse(readFileSync(file, 'utf8')) as object)[0] : undefined
}

/** Passes of convolutions that are open: the first layer has no input gradient, the second has said how. */
const OPEN = 5
/** Fills a cache file: a busy machine may need several times 200 ms for it. */
async function fill(cache: string): Promise<void> {
  let known = 0
  while (known < OPEN) {
    await model({ cache }).fit(data)
    known = Object.keys(remembered(cache) ?? {}).length
  }
}

describe('autotune', () => {
  test('chooses by time, remembers, and keeps the choice with the model', async () => {
    const folder = temporaryFolder()
    const [cache, file] = [join(folder, 'deep', 'cache.json'), join(folder, 'model.safetensors')]
    await fill(cache)
    const tuned = model({ cache })
    await tuned.fit(data, { batchSize: 16 })
    await tuned.save(file)
    const choices = await choicesOf(file)
    expect(Object.keys(choices)).toHaveLength(OPEN)
    expect(Object.values(choices).every(isAlgorithm)).toBe(true)
    for (const key of Object.keys(choices)) expect(key.startsWith(`${isa()} conv2d`)).toBe(true)
    expect(remembered(cache)).toEqual(choices)

    const again = await loadModel<typeof tuned>(file)
    expect(await again.predict(data.x)).toEqual(await tuned.predict(data.x))
    await again.save(file)
    expect(await choicesOf(file)).toEqual(choices)
    const { steps } = await again.profile({ batchSize: 2, steps: 1 })
    expect(Object.values(choices)).toEqual(expect.arrayContaining([steps.find(({ op }) => op === 'conv2d')!.algorithm]))
  })

  test('what the file remembers is taken without timing', async () => {
    const folder = temporaryFolder()
    const [cache, file] = [join(folder, 'cache.json'), join(folder, 'model.safetensors')]
    await fill(cache)
    const content = JSON.parse(readFileSync(cache, 'utf8'))
    const [scope] = Object.keys(content)
    const changed = Object.fromEntries(Object.keys(content[scope!]).map((key) => [key, 'im2col']))
    writeFileSync(cache, JSON.stringify({ [scope!]: changed, 'another version': { a: 'b' } }))
    const other = model({ cache })
    await other.fit(data)
    await other.save(file)
    expect(Object.values(await choicesOf(file))).not.toContain('im2col') // no candidate
    expect(JSON.parse(readFileSync(cache, 'utf8'))['another version']).toEqual({ a: 'b' })
    const sure = Object.fromEntries(Object.keys(changed).map((key) => [key, 'indirect']))
    writeFileSync(cache, JSON.stringify({ [scope!]: sure }))
    const third = model({ cache })
    await third.fit(data)
    await third.save(file)
    expect(await choicesOf(file)).toEqual(sure)
  })

  test('a run goes on from its checkpoint with the choices that it had', async () => {
    const folder = temporaryFolder()
    const [cache, file] = [join(folder, 'cache.json'), join(folder, 'checkpoint.safetensors')]
    await fill(cache)
    const whole = model({ cache })
    await whole.fit(data, { epochs: 3, batchSize: 8 })
    await model({ cache }).fit(data, { epochs: 1, batchSize: 8, checkpoint: { file } })
    // Whatever is remembered elsewhere now.
    const resumed = model({ cache: false })
    await resumed.predict(data.x)
    await resumed.fit(data, { epochs: 3, batchSize: 8, resume: file })
    expect(weightsSha256(await resumed.getWeights())).toBe(weightsSha256(await whole.getWeights()))
    await expectError(() => model(false).fit(data, { epochs: 2, batchSize: 8, resume: file }), 'INVALID_ARGUMENT', 'autotune true')
  })

  test('a run does not go on with other choices than threads that share the model have', async () => {
    const folder = temporaryFolder()
    const [cache, file] = [join(folder, 'cache.json'), join(folder, 'checkpoint.safetensors')]
    await fill(cache)
    const [[scope, keys]] = Object.entries<object>(JSON.parse(readFileSync(cache, 'utf8'))) as [[string, object]]
    const choose = (algorithm: string) => {
      const all = Object.fromEntries(Object.keys(keys).map((key) => [key, algorithm]))
      writeFileSync(cache, JSON.stringify({ [scope]: all }))
    }
    choose('indirect')
    await model({ cache }).fit(data, { epochs: 1, batchSize: 8, checkpoint: { file } })
    const alike = model({ cache })
    const sharedAlike = sharedModel(await alike.share())
    await alike.fit(data, { epochs: 2, batchSize: 8, resume: file })
    expect(await sharedAlike.predict(data.x)).toEqual(await alike.predict(data.x))

    choose('winograd4')
    const owner = model({ cache })
    const other = sharedModel(await owner.share())
    const before = await owner.predict(data.x)
    const resumed = () => owner.fit(data, { epochs: 2, batchSize: 8, resume: file })
    await expectError(
      resumed,
      'UNSUPPORTED',
      /^fit: cannot resume from .*: the threads that share the model compute convolutions otherwise/,
    )
    expect(await owner.predict(data.x)).toEqual(before)
    expect(await other.predict(data.x)).toEqual(before)
    for (const one of [other, owner, sharedAlike, alike]) one.dispose()
  })

  test('a damaged or impossible cache file does no harm', async () => {
    const folder = temporaryFolder()
    const damaged = join(folder, 'damaged.json')
    for (const text of ['', '{', '[]', 'null', '3', '{"a":', JSON.stringify({ a: 1 }), 'x'.repeat(2 ** 21)]) {
      writeFileSync(damaged, text)
      await model({ cache: damaged }).fit(data)
    }
    writeFileSync(damaged, '{}')
    await fill(damaged)
    const isFolder = join(folder, 'folder')
    mkdirSync(isFolder)
    await model({ cache: isFolder }).fit(data)
    await model({ cache: join(damaged, 'below a file', 'cache.json') }).fit(data)
    rmSync(isFolder, { recursive: true })
  })

  test('without a file; with Winograd refused; for predict alone; not on the reference', async () => {
    const file = join(temporaryFolder(), 'model.safetensors')
    const tuned = made().compile({
      optimizer: sgd({ learningRate: 0.01 }),
      loss: 'softmaxCrossEntropy',
      winograd: false,
      autotune: { cache: false },
    })
    const [one, two] = await Promise.all([tuned.predict(data.x), tuned.predict(data.x)])
    expect(one).toEqual(two)
    await tuned.save(file)
    expect(Object.values(await choicesOf(file)).filter((name) => name.startsWith('winograd'))).toEqual([])
    const slow = model(true, 'reference')
    await slow.fit({ x: randomTensor([2, 12, 12, 8], 1), y: someLabels(2, 3) })
    await slow.save(file)
    expect(await choicesOf(file)).toEqual({})
  })

  test('what there is no time for is decided, too: a later program, and a run that is resumed, compute as the first', async () => {
    const large = sequential({ input: [32, 32, 512] }, conv2d(512, 3, { padding: 'same' }))
    large.compile({ optimizer: sgd({ learningRate: 0.01 }), loss: 'meanSquaredError', autotune: { cache: false } })
    await large.predict({ shape: [1, 32, 32, 512], data: new Float32Array(2 ** 19) })
    expect(Object.values(large.document.algorithms ?? {}).map(isAlgorithm)).toEqual([true])
  })

  test('is done before other threads take the model up, which have the same bits', async () => {
    const tuned = model({ cache: false })
    const shared = await tuned.share()
    expect(Object.keys(JSON.parse(shared.document).algorithms)).toHaveLength(2)
    const other = sharedModel(shared)
    expect(await other.predict(data.x)).toEqual(await tuned.predict(data.x))
    for (const one of [other, tuned]) one.dispose()
  })

  test('is refused where it means nothing', async () => {
    await expectError(() => model(1 as never), 'INVALID_ARGUMENT', 'compile: autotune')
    await expectError(() => model({ cache: 3 as never }), 'INVALID_ARGUMENT', 'compile: autotune.cache')
    await expectError(() => model({ cahce: false } as never), 'INVALID_ARGUMENT', 'unknown option "cahce"')
  })
})
