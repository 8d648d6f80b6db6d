import { type Dataset, sliceDataset } from '../data/dataset'
import { loadModel } from '../model/load'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import { type Command, parseCommand, printHelp, usage, wholeNumber } from './arguments'
import { checkClassifier, probabilities } from './classifier'
import { dataOption, openData } from './data'
import { percent } from './progress'
import { chooseMachine, runtimeOptions } from './runtime'

export const predictCommand = {
  name: 'predict',
  arguments: 'MODEL',
  about: 'Says what a saved model sees in test images of a data set: the likeliest classes with their probabilities, and the label.',
  options: {
    data: dataOption,
    index: { value: 'N', about: 'which test images, from 0: --index 0 1 2 or --index 0,1,2 (default: the first ten)', multiple: true },
    ...runtimeOptions,
    json: { about: 'one line of JSON instead: index, label, class and all probabilities' },
  },
} satisfies Command

/** Classes that are shown of each image. */
const SHOWN = 3

/** Runs `convlane predict`; gives the exit code. */
export async function predict(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(predictCommand, argv)
  if (!parsed) return printHelp(predictCommand)
  const { values, positionals } = parsed
  const [file, ...behind] = positionals
  if (file === undefined) throw usage(predictCommand, 'MODEL is missing: the file that train saved')
  if (values.index === undefined && behind.length > 0) throw usage(predictCommand, `unexpected argument "${behind[0]}"`)
  const wanted = values.index === undefined ? undefined : indices([...(values.index as string[]), ...behind])
  const machine = chooseMachine(predictCommand, values)
  const model = await loadModel(file, { runtime: machine.runtime })
  const data = await openData(String(values.data ?? 'digits'), (line) => void process.stderr.write(`${line}\n`))
  checkClassifier(model, file, data)
  const shown = wanted ?? Array.from({ length: Math.min(10, data.test.length) }, (_, i) => i)
  const outside = shown.find((index) => index >= data.test.length)
  if (outside !== undefined) throw usage(predictCommand, `--index ${outside}: there are test images 0 to ${data.test.length - 1}`)
  for (const index of shown) {
    const guess = await look(model, data.test, index)
    process.stdout.write(`${values.json ? JSON.stringify(guess) : lineOf(guess, data.test.classNames ?? [])}\n`)
  }
  return 0
}

function indices(texts: readonly string[]): number[] {
  return texts.flatMap((text) => text.split(',').map((part) => wholeNumber(predictCommand, 'index', part, 0)!))
}

interface Guess {
  readonly index: number
  readonly label: number
  readonly class: number
  /** By class number. */
  readonly probabilities: readonly number[]
}

async function look(model: Model, test: Dataset, index: number): Promise<Guess> {
  const image = sliceDataset(test, index, index + 1)
  const said: Tensor = await model.predict(image.x)
  const [row] = probabilities(model, said)
  return { index, label: test.y.data[index]!, class: row!.indexOf(Math.max(...row!)), probabilities: row! }
}

function lineOf(guess: Guess, names: readonly string[]): string {
  const name = (number: number) => names[number] ?? String(number)
  const likeliest = guess.probabilities
    .map((probability, number) => ({ probability, number }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN)
    .map(({ probability, number }) => `${name(number)} ${percent(probability)}`)
  return `image ${guess.index}: ${likeliest.join(', ')}  (labelled ${name(guess.label)}${guess.label === guess.class ? '' : ', wrong'})`
}
