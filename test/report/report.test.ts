import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  add,
  concat,
  conv2d,
  dataset,
  dense,
  flatten,
  type History,
  input,
  loadModel,
  type Model,
  network,
  relu,
  report,
  sequential,
  sgd,
  softmaxCrossEntropy,
  stepLog,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { expectError, randomTensor, someLabels } from '../support/models'

/** What a reader sees: the text without markup, spaces as one. */
const textOf = (page: string) =>
  page
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replace(/\s+/g, ' ')

const sectionsOf = (page: string) => [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id)

/** Gives its samples back: one layer whose kernel is the identity. */
async function echo(width: number, options: { readonly activation?: 'softmax' | 'sigmoid' } = {}): Promise<Model> {
  const model = sequential({ input: [width], runtime: width > 100 ? 'native' : 'reference' }, dense(width, options))
  const identity = Float32Array.from({ length: width * width }, (_, k) => Number(k % (width + 1) === 0))
  await model.setWeights({ 'dense/kernel': { shape: [width, width], data: identity } })
  return model as unknown as Model
}

const rows = (...values: number[][]) => ({ shape: [values.length, values[0]!.length], data: Float32Array.from(values.flat()) })
const labels = (...values: number[]) => ({ shape: [values.length] as const, data: Int32Array.from(values) })

const epoch = (number: number, loss: number, more: object = {}) => ({
  epoch: number,
  loss,
  metrics: { accuracy: number / 4 },
  learningRate: 0.1 / number,
  seconds: 2,
  imagesPerSecond: 1000 * number,
  ...more,
})

describe('results', () => {
  test('are those computed by hand', async () => {
    const model = await echo(3)
    model.classNames = ['ant', 'bee', 'cat']
    // Told: 0, 0, 1, 2, 1; true: 0, 1, 1, 2, 2.
    const x = rows([2, 0, 0], [3, 1, 0], [0, 1, 0], [0, 0, 4], [0, 5, 1])
    const text = textOf(await report(model, undefined, { x, y: labels(0, 1, 1, 2, 2) }))
    expect(text).toContain('Of 5 samples 3 are told right: 60.00 %')
    // Precision, recall, F1: ant ½, 1, ⅔; bee ½, ½, ½; cat 1, ½, ⅔.
    expect(text).toContain('ant 50.00 % 100.00 % 66.66 % 1')
    expect(text).toContain('bee 50.00 % 50.00 % 50.00 % 2')
    expect(text).toContain('cat 100.00 % 50.00 % 66.66 % 2')
    expect(text).toContain('macro mean 66.66 % 66.66 % 61.11 %')
    expect(text).toContain('is ant bee cat ant 1 · · bee 1 1 · cat · 1 1')
    expect(text).toContain('bee ant 1 50.00 %')
    // The worst: cat taken for bee, e¹ / (e⁰ + e⁵ + e¹) = 1.78 %; then bee for ant, e / (e³ + e + 1) = 11.42 %… of 1.
    expect(text).toMatch(
      /bee instead of cat sample 4 bee 97.5\d % cat ✓ 1.78 % ant 0.6\d % ant instead of bee sample 1 ant 84.3\d % bee ✓ 11.4\d %/,
    )
  })

  test('are measured as evaluate does, of bytes scaled by the data, too', async () => {
    const model = sequential({ input: [4, 4, 1], seed: 2, runtime: 'reference' }, conv2d(3, 3, { activation: 'relu' }), flatten(), dense(4))
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    const x = { shape: [40, 4, 4, 1], data: Uint8Array.from({ length: 640 }, (_, k) => (k * 37) % 17) }
    for (const normalize of [undefined, { scale: 1 / 16, offset: 0 }, { scale: [2], offset: [-1] }]) {
      const data = dataset({ x, y: someLabels(40, 4), ...(normalize && { normalize }) })
      const { accuracy } = await model.evaluate(data)
      const text = textOf(await report(model, undefined, data, { batchSize: 7 }))
      expect(text).toContain(`Of 40 samples ${Math.round(accuracy! * 40)} are told right`)
    }
  })

  test('of a stream are those of the arrays', async () => {
    const model = await echo(3)
    const x = rows([2, 0, 0], [3, 1, 0], [0, 1, 0])
    async function* batches() {
      yield { x: rows([2, 0, 0], [3, 1, 0]), y: labels(0, 1) }
      yield { x: rows([0, 1, 0]), y: labels(1) }
    }
    const part = (page: string) => page.slice(page.indexOf('<section id="results"'), page.indexOf('<section id="weights"'))
    expect(part(await report(model, undefined, batches()))).toBe(part(await report(model, undefined, { x, y: labels(0, 1, 1) })))
  })

  test('leave out the ignored label, and take distributions and yes or no for what they are', async () => {
    const model = await echo(2)
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: softmaxCrossEntropy({ ignoreLabel: -1 }) })
    const x = rows([1, 0], [0, 1], [3, 0])
    expect(textOf(await report(model, undefined, { x, y: labels(0, -1, 1) }))).toContain(
      'Of 2 samples 1 are told right: 50.00 % ; 1 with the ignored label are left out',
    )
    expect(textOf(await report(model, undefined, { x, y: rows([0.9, 0.1], [0.4, 0.6], [0.2, 0.8]) }))).toContain('Of 3 samples 2 are')
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'sigmoidCrossEntropy' })
    // Yes above 0: [1, 0], [0, 1], [1, 0].
    const text = textOf(await report(model, undefined, { x, y: rows([1, 0], [1, 1], [1, 0]) }))
    expect(text).toContain('Of 3 samples 2 have all their labels right and no others')
    expect(text).toContain('0 100.00 % 66.66 % 80.00 % 3 1 100.00 % 100.00 % 100.00 % 1')
    const single = await echo(1)
    single.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'sigmoidCrossEntropy' })
    const yes = textOf(await report(single, undefined, { x: rows([2], [-2], [1]), y: labels(1, 0, 0) }))
    expect(yes).toContain('Of 3 samples 2 are told right')
    expect(yes).toContain('1 instead of 0 sample 2 1 73.10 % 0 ✓ 26.89 %')
  })

  test('of numbers are errors', async () => {
    const model = await echo(2)
    // Errors of the first: 1, −1, 0; of the second: 0, 0, 3.
    const data = { x: rows([1, 1], [2, 2], [3, 6]), y: rows([0, 1], [3, 2], [3, 3]) }
    const text = textOf(await report(model, undefined, data))
    // Root of 2/3, 2/3, 1 − 2/6; root of 3, 1, 1 − 9/2.
    expect(text).toContain('0 0.8165 0.6667 0.6667 1 1.732 1 -3.5')
    expect(text).toContain('3, 6 instead of 3, 3 sample 2')
    // Of both numbers together: root of 11/6, 5/6.
    expect(text).toContain('root mean square error 1.354 samples 3')
    expect(text).toContain('all 2 1.354 0.8333 0 0.8165')
    // No more than eight numbers of a sample are shown.
    const wide = { x: randomTensor([2, 9], 1), y: randomTensor([2, 9], 2) }
    expect(textOf(await report(await echo(9), undefined, wide))).toMatch(/, … instead of -?[\d.]+(, -?[\d.]+){7}, … sample/)
  })

  test('of maps of classes are no errors of numbers', async () => {
    const model = sequential({ input: [3, 3, 1], runtime: 'reference' }, conv2d(1, 1))
    const data = { x: randomTensor([2, 3, 3, 1], 1), y: randomTensor([2, 3, 3, 1], 2) }
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'sigmoidCrossEntropy' })
    const text = textOf(await report(model, undefined, data))
    expect(text).toContain('Classes are measured of outputs [N, K].')
    expect(text).not.toContain('root mean square')
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'meanSquaredError' })
    expect(textOf(await report(model, undefined, data))).toContain('root mean square error')
  })

  test('of one class, and of a model that knows a single one', async () => {
    const x = rows([1, 0], [0, 1])
    expect(textOf(await report(await echo(2), undefined, { x, y: labels(0, 0) }))).toContain('Of 2 samples 1 are told right')
    const single = await echo(1, { activation: 'softmax' })
    single.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy' })
    expect(textOf(await report(single, undefined, { x: rows([1], [2]), y: labels(0, 0) }))).toContain(
      'Of 2 samples 2 are told right: 100.00 %',
    )
  })

  test('of 1000 classes stay small', async () => {
    const model = await echo(1000)
    const n = 3000
    const data = new Float32Array(n * 1000)
    for (let k = 0; k < n; k++) data[k * 1000 + ((k * 7) % 1000)] = 1
    const y = labels(...Array.from({ length: n }, (_, k) => k % 1000))
    const page = await report(model, undefined, { x: { shape: [n, 1000], data }, y }, { timing: false })
    expect(page.length).toBeLessThan(500_000)
    expect(textOf(page)).toContain('The 100 of 1,000 classes that are told worst.')
    expect(page).toContain('alt="Confusion matrix of 1000 classes"')
  })
})

/** Two inputs, a picture and two numbers; told are three classes, and the numbers as they are. */
async function pair(): Promise<Model> {
  const [image, place] = [input([2, 2, 1], { name: 'image' }), input([2], { name: 'place' })]
  const kind = dense(3, { name: 'kind' }).apply(concat().apply(flatten().apply(image), place))
  const same = dense(2, { name: 'same', bias: false }).apply(place)
  const model = network({ inputs: [image, place], outputs: [kind, same], seed: 1, runtime: 'reference' }) as unknown as Model
  await model.setWeights({
    // The class is where the image is bright: at its first, second or third pixel.
    'kind/kernel': { shape: [6, 3], data: Float32Array.from({ length: 18 }, (_, k) => Number(k % 4 === 0 && k < 12)) },
    'same/kernel': { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) },
  })
  return model
}

describe('several inputs and outputs', () => {
  const image = { shape: [3, 2, 2, 1], data: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0) }
  const x = { image, place: rows([1, 2], [3, 4], [5, 6]) }
  const y = { kind: labels(0, 1, 1), same: rows([1, 2], [3, 2], [4, 6]) }

  test('each output has its results and mistakes, each sample all of its pictures', async () => {
    const model = await pair()
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: ['softmaxCrossEntropy', 'meanSquaredError'] })
    const page = await report(model, undefined, { x, y } as never)
    const text = textOf(page)
    expect(sectionsOf(page)).toEqual(['results1', 'mistakes1', 'results2', 'mistakes2', 'maps', 'weights', 'layers', 'repeat'])
    expect(text).toContain('accuracy of kind 66.66 % mistakes of kind 1 root mean square error of same 0.9129 samples 3')
    expect(text).toContain('Results of kind Of 3 samples 2 are told right')
    expect(text).toMatch(/Worst mistakes of kind .* image place 2 instead of 1 sample 2 2 57.\d\d % /)
    expect(text).toContain('Results of same 3 samples.')
    expect(text).toMatch(
      /Largest errors of same .* 3, 4 instead of 3, 2 sample 1 image place 5, 6 instead of 4, 6 sample 2 image place 1, 2/,
    )
    for (const [name, size] of [
      ['image', '2 × 2 × 1'],
      ['place', '2'],
    ])
      expect(page).toContain(`alt="sample 2, ${name}, ${size}"`)
    // The first is not right or wrong at one output of two: it is told right at the one that has classes.
    expect(text).toContain('sample 0: kind 0, taken for 0 image 2 × 2 × 1 place 2')
    expect(text).toContain('sample 2: kind 1, taken for 2')
    expect(text.match(/ gradient: mean/g)).toHaveLength(3)
    const measured = await model.evaluate({ x, y } as never)
    expect(Math.sqrt(measured['same/loss']!)).toBeCloseTo(0.9129, 4)
  })

  test('an output is taken for classes by its own metrics, not by another one', async () => {
    const model = await pair()
    const compile = { optimizer: sgd({ learningRate: 1 }), loss: ['meanSquaredError', 'meanSquaredError'] as const }
    const oneHot = { kind: rows([1, 0, 0], [0, 1, 0], [0, 1, 0]), same: y.same }
    const resultsOf = async (metrics: readonly 'accuracy'[] | { kind?: readonly 'accuracy'[]; same?: readonly 'accuracy'[] }) => {
      model.compile({ ...compile, metrics } as never)
      const text = textOf(await report(model, undefined, { x, y: oneHot } as never))
      return (['kind', 'same'] as const).map((name) => (text.includes(`accuracy of ${name}`) ? 'classes' : 'numbers'))
    }
    expect(await resultsOf({ kind: ['accuracy'] })).toEqual(['classes', 'numbers'])
    expect(await resultsOf({ same: ['accuracy'] })).toEqual(['numbers', 'classes'])
    expect(await resultsOf(['accuracy'])).toEqual(['classes', 'classes'])
    expect(await resultsOf([])).toEqual(['numbers', 'numbers'])
  })

  test('arrays in their order, streams, and what is missing', async () => {
    const model = await pair()
    const part = (page: string) => page.slice(page.indexOf('<section id="results1"'), page.indexOf('<section id="weights"'))
    const named = part(await report(model, undefined, { x, y } as never))
    async function* batches() {
      yield { x: [image, x.place], y: [y.kind, y.same] }
    }
    expect(part(await report(model, undefined, { x: [image, x.place], y: [y.kind, y.same] }))).toBe(named)
    expect(part(await report(model, undefined, batches(), { batchSize: 2 }))).toBe(named)
    await expectError(() => report(model, undefined, { x, y: y.kind } as never), 'INVALID_ARGUMENT', 'report: y')
    await expectError(() => report(model, undefined, { x: { image }, y } as never), 'INVALID_ARGUMENT', 'report: x')
    const short = { ...y, same: rows([1, 2]) }
    await expectError(
      () => report(model, undefined, { x, y: short } as never),
      'INVALID_SHAPE',
      'x of "image" has 3 samples, y of "same" has 1',
    )
  })
})

describe('weights of samples', () => {
  const x = rows([2, 0], [3, 1], [0, 1], [1, 0])
  const y = labels(0, 1, 1, 1)
  const sampleWeight = [1, 0, 5, 0]

  test('figures are those of evaluate, and it is said what weighs; gradients are by the weights', async () => {
    const model = await echo(2)
    model.compile({ optimizer: sgd({ learningRate: 1 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    const { accuracy } = await model.evaluate({ x, y, sampleWeight })
    expect(accuracy).toBe(0.5)
    const [plain, weighted] = [await report(model, undefined, { x, y }), await report(model, undefined, { x, y, sampleWeight })].map(textOf)
    expect(weighted).toContain('accuracy 50.00 %')
    expect(weighted).toContain('Each sample counts alike here, as in the metrics of evaluate')
    expect(plain).not.toContain('counts alike')
    const gradientIn = (text: string | undefined) => /dense\/bias 2 .*? gradient: mean ([^,]*), deviation ([^ ]*)/.exec(text!)!.slice(1)
    expect(gradientIn(weighted)).not.toEqual(gradientIn(plain))
    const own = await model.getGradients(x, y, { sampleWeight })
    const [g0] = own['dense/bias']!.data
    // Both are of one size: their deviation is it.
    expect(Number(gradientIn(weighted)[1])).toBeCloseTo(Math.abs(g0!), 3)
    await expectError(() => report(model, undefined, { x, y, sampleWeight: [1] }), 'INVALID_ARGUMENT', 'sampleWeight')
  })
})

describe('training', () => {
  test('shows the numbers of the epochs, and curves broken where one is NaN', async () => {
    const model = await echo(2)
    const history: History = {
      epochs: [epoch(1, 2, { validation: { loss: 3, accuracy: 0.125 } }), epoch(2, Number.NaN), epoch(3, 0.5)] as History['epochs'],
      stopped: 'earlyStopping',
    }
    const page = await report(model, history)
    const text = textOf(page)
    expect(sectionsOf(page)).toEqual(['training', 'weights', 'layers', 'repeat'])
    expect(text).toContain('It was ended by early stopping.')
    expect(text).toContain('1 2 25.00 % 3 12.50 % 0.1 2.0 s 1,000 2 NaN 50.00 % 0.05 2.0 s 2,000 3 0.5 75.00 %')
    expect(page).toContain('aria-label="Loss: training from 2 to 0.5; validation 3"')
    expect(page).toContain('training, epoch 3: 0.5')
    // Two pieces, no number of the second epoch.
    const [, line] = /<path class="line c1" d="([^"]*)"/.exec(page)!
    expect(line).toMatch(/^M[\d.]+ [\d.]+M[\d.]+ [\d.]+$/)
    expect(page).not.toMatch(/(cx|cy|d|x|y)="[^"]*(NaN|Infinity|undefined)/)
  })

  test('of many epochs stays small, from the first to the last', async () => {
    const epochs = Array.from({ length: 20_000 }, (_, k) => epoch(k + 1, 2 / (k + 1))) as History['epochs']
    const page = await report(await echo(2), { epochs })
    expect(page.length).toBeLessThan(200_000)
    const [, line] = /aria-label="Loss: training from 2 to 1.00e-4"[\s\S]*?<path class="line c1" d="([^"]*)"/.exec(page)!
    expect(line).toMatch(/^M62 12L[\s\S]*L390 [\d.]+$/)
  })

  test('steps are kept, of long runs as means, and drawn', async () => {
    const log = stepLog()
    log.onTrainBegin()
    const steps = 5000
    for (let step = 1; step <= steps; step++)
      log.onStep({ epoch: 1, step, steps, loss: step, metrics: {}, gradientNorm: 2 * step, learningRate: 0.5, imagesPerSecond: 10 })
    const { points } = log
    expect(points.length).toBeLessThanOrEqual(1024)
    // Steps 1 to 8.
    expect(points[0]).toEqual({ at: 8 / 5000, loss: 4.5, learningRate: 0.5, gradientNorm: 9, imagesPerSecond: 10 })
    expect(points.at(-1)!.at).toBe(1)
    const page = await report(await echo(2), { epochs: [epoch(1, 2)] as History['epochs'] }, undefined, { steps: points })
    for (const name of ['Loss', 'Accuracy', 'Learning rate', 'Images per second', 'Length of the gradient'])
      expect(page).toContain(`<figcaption>${name}`)
    log.onTrainBegin()
    expect(log.points).toEqual([])
    // Of an iterable nobody knows the number of steps beforehand.
    for (let step = 1; step <= 4; step++)
      log.onStep({ epoch: 1, step, steps: 0, loss: step, metrics: {}, gradientNorm: 1, learningRate: 1, imagesPerSecond: 10 })
    expect(log.points.map(({ at }) => at)).toEqual([0.25, 0.5, 0.75, 1])
  })

  test("is the model's last one, from its file, too", async () => {
    const model = sequential({ input: [2], runtime: 'reference' }, dense(2))
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    const { epochs } = await model.fit({ x: rows([1, 0], [0, 1]), y: labels(0, 1) }, { epochs: 2 })
    const file = join(temporaryFolder(), 'm.safetensors')
    await model.save(file)
    const loaded = await loadModel(file, { runtime: 'reference' })
    const page = await report(loaded)
    expect(textOf(page)).toContain(`1 ${epochs[0]!.loss.toLocaleString('en', { maximumSignificantDigits: 4 })}`)
    expect(page).toContain(weightsSha256(await model.getWeights()))
    expect(textOf(page)).toContain('"learningRate":0.1')
  })
})

describe('the page', () => {
  test('has filters, feature maps, weights and gradients, layers with their graph', async () => {
    const image = input([6, 6, 3])
    const first = conv2d(4, 3, { padding: 'same', name: 'first' }).apply(image)
    const sum = add().apply(first, conv2d(4, 1, { name: 'second' }).apply(relu().apply(first)))
    const model = network({ inputs: image, outputs: dense(2).apply(flatten().apply(sum)), seed: 1 }) as unknown as Model
    model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
    const page = await report(model, undefined, { x: randomTensor([5, 6, 6, 3], 1), y: someLabels(5, 2) }, { examples: [3, 1] })
    const text = textOf(page)
    expect(sectionsOf(page)).toEqual(expect.arrayContaining(['results', 'maps', 'filters', 'weights', 'layers', 'repeat']))
    expect(text).toContain('first/kernel 4 filters × 3 channels of 3 × 3; middle grey 0')
    expect(text).toContain('second/kernel 4 filters × 4 channels of 1 × 1; blue and orange')
    expect(text.indexOf('sample 3:')).toBeLessThan(text.indexOf('sample 1:'))
    expect(text).toContain('first/kernel 3 × 3 × 3 × 4 weights: mean')
    expect(text).toMatch(/first\/kernel 3 × 3 × 3 × 4 weights: [^:]* gradient: mean/)
    expect(text).toMatch(/add add 6 × 6 × 4 first, second 0 0 (–|[\d.]+ µs)/)
    // 3·3·3·4 + 4, 4·4 + 4, 144·2 + 2; 36 times 108 and 16, 288.
    expect(text).toMatch(/total 422 4,752 [\d.]+ (µs|ms)/)
    expect(
      [...page.matchAll(/<img [^>]*>/g)].every(([tag]) => /src="data:image\/png;base64,[\w+/=]+"/.test(tag) && /alt="[^"]+"/.test(tag)),
    ).toBe(true)
  })

  test('escapes every string, and lets nothing be fetched or run', async () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\'`'
    const model = sequential({ input: [4, 4, 1], runtime: 'reference' }, conv2d(1, 2, { name: `<b>${'"'}onload=x` }), flatten(), dense(2))
    model.classNames = [evil, `${evil}2`]
    const log = stepLog()
    const data = { x: randomTensor([2, 4, 4, 1], 1), y: labels(0, 1), files: [evil, evil] }
    const history = { epochs: [epoch(1, 1, { metrics: { [evil]: 1 } })] } as unknown as History
    const page = await report(model, history, data, { title: evil, run: { [evil]: evil }, steps: log.points })
    expect(page).not.toMatch(/<script|<img src=x|<b>|onerror=alert\(1\)>/)
    const elements = [...page.matchAll(/<(\/?[a-z][a-z0-9]*)/gi)].map(([, name]) => name!.toLowerCase())
    expect(elements.filter((name) => /^\/?(script|iframe|object|embed|form|b)$/.test(name))).toEqual([])
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page)!
    expect(policy!.replace(/&#39;/g, "'")).toMatch(
      /^default-src 'none'; img-src data:; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'$/,
    )
    expect(page).not.toMatch(/ style="| on\w+="|https?:\/\/(?!www\.w3\.org)/)
  })

  test('keeps marks that turn the direction of text within no name, and tells of a run whatever it is', async () => {
    const model = await echo(2)
    const cycle: { own?: unknown } = {}
    cycle.own = cycle
    const run = { seed: 12n, cycle, of: (x: number) => x, list: [1, 'a'] }
    const page = await report(model, undefined, { x: rows([1, 0]), y: labels(0), files: ['\u202egnp.a'] } as never, { run })
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    expect(textOf(page)).toContain('seed 12n cycle <ref *1> { own: [Circular *1] } of [Function: of] list [1,"a"]')
  })

  test('is written whole or not at all', async () => {
    const folder = temporaryFolder()
    const model = await echo(2)
    const file = join(folder, 'out.html')
    const page = await report(model, undefined, undefined, { file })
    expect(page).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
    expect(readFileSync(file, 'utf8')).toBe(page)
    writeFileSync(file, 'old')
    await expectError(() => report(model, undefined, { x: rows([1, 2]), y: labels(5) }, { file }), 'INVALID_LABEL', 'label 5 of sample 0')
    expect(readFileSync(file, 'utf8')).toBe('old')
    mkdirSync(join(folder, 'dir'))
    await expectError(() => report(model, undefined, undefined, { file: join(folder, 'dir') }), 'FILE_ERROR', 'dir')
    await expectError(() => report(model, undefined, undefined, { file: join(folder, 'none', 'x') }), 'FILE_ERROR', 'no such file')
  })

  test('says why where samples cannot be measured', async () => {
    const x = rows([1, 2])
    expect(textOf(await report(await echo(2), undefined, { x, y: rows([1, 2, 3]) }))).toContain(
      'Targets have 3 numbers for each sample, the output has 2.',
    )
  })

  test('refuses bad options and data', async () => {
    const model = await echo(2)
    const data = { x: rows([1, 0]), y: labels(0) }
    const refuse = (options: object, message: string) =>
      expectError(() => report(model, undefined, data, options), 'INVALID_ARGUMENT', message)
    await refuse({ fle: 'x' }, 'unknown option "fle"')
    await refuse({ examples: [1] }, 'report: examples must be numbers of samples, 0 to 0, received 1')
    await refuse({ examples: [-1] }, 'examples')
    await refuse({ mistakes: 1e6 }, 'mistakes')
    await refuse({ file: 3 }, 'file')
    await refuse({ title: 3 }, 'title')
    await refuse({ run: null }, 'run')
    await refuse({ steps: 3 }, 'steps')
    await refuse({ timing: 1 }, 'timing')
    await expectError(() => report(model, undefined, { x: rows([1, 0, 0]), y: labels(0) }), 'INVALID_SHAPE', 'x must have shape')
    await expectError(() => report(model, undefined, { x: rows([1, 0]), y: labels(0, 1) }), 'INVALID_SHAPE', 'x has 1 samples, y has 2')
    await expectError(() => report(model, undefined, {} as never), 'INVALID_ARGUMENT', 'report: x')
    await expectError(() => report(model, undefined, 3 as never), 'INVALID_ARGUMENT', 'data')
    await expectError(() => report(model, undefined, { x: rows([1, 0]), y: [0] } as never), 'INVALID_TENSOR', 'report: y')
    async function* none() {}
    await expectError(() => report(model, undefined, none()), 'INVALID_ARGUMENT', 'the data gave no samples')
    await expectError(() => report(model, undefined, data, { signal: AbortSignal.abort() }), 'ABORTED', 'stopped')
    const history = { epochs: 3 } as never
    await expectError(() => report(model, history), 'INVALID_ARGUMENT', 'history')
    for (const epochs of [[null], [{ epoch: 1, loss: 1 }], [{ ...epoch(1, 1), seconds: '2' }]])
      await expectError(() => report(model, { epochs } as never), 'INVALID_ARGUMENT', 'history must be what fit gave')
    for (const none of [undefined, {}, 3])
      await expectError(() => report(none as never), 'INVALID_ARGUMENT', 'report: model must be a model')
    model.dispose()
    await expectError(() => report(model), 'DISPOSED', 'disposed')
  })
})
