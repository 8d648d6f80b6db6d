import { type Samples, sliceDataset } from '../data/dataset'
import { inOrder } from '../data/inOrder'
import { modelForm, readImage } from '../data/readImage'
import { loadSharp } from '../data/sharp'
import { ConvlaneError } from '../errors'
import { loadModel } from '../model/load'
import type { Model } from '../model/model'
import { probabilitiesOf } from '../model/probabilities'
import { firstLargest } from '../train/largest'
import { type Command, parseCommand, printHelp, usage } from './arguments'
import { checkClassifier, checkGivesClasses } from './classifier'
import { dataOption, type OpenedData, openData } from './data'
import { folderOptions, imagePlan } from './images'
import { checkIndices, imageIndices } from './indices'
import { percent } from './progress'
import { chooseMachine, runtimeOptions } from './runtime'

export const predictCommand = {
  name: 'predict',
  arguments: 'MODEL [IMAGE …]',
  about: `Says what a saved model sees in image files (PNG, JPEG, WebP, AVIF, GIF): the likeliest classes with their probabilities.
Without IMAGE: in test images of a data set, with the label.`,
  options: {
    data: dataOption,
    ...folderOptions,
    index: { value: 'N', about: 'which test images, from 0: --index 0 1 2 or --index 0,1,2 (default: the first ten)', multiple: true },
    ...runtimeOptions,
    json: { about: 'one line of JSON for each image instead: file, or index and label; class and all probabilities' },
  },
} satisfies Command

/** Classes that are shown of each image. */
const SHOWN = 3
/** Files that are read and decoded while the model looks at one before them. */
const AHEAD = 4

/** Runs `convlane predict`; gives the exit code. */
export async function predict(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(predictCommand, argv)
  if (!parsed) return printHelp(predictCommand)
  const { values, positionals } = parsed
  const [file, ...behind] = positionals
  if (file === undefined) throw usage(predictCommand, 'MODEL is missing: the file that train saved')
  const isOfFiles = values.index === undefined && behind.length > 0
  const stranger = isOfFiles ? (['data', 'split'] as const).find((name) => values[name] !== undefined) : undefined
  if (stranger) throw usage(predictCommand, `--${stranger} is for a data set, not for image files`)
  const wanted = imageIndices(predictCommand, values, behind)
  const machine = chooseMachine(predictCommand, values)
  const plan = imagePlan(predictCommand, values)
  const model = await loadModel(file, { runtime: machine.runtime })
  const write = (guess: Guess, names: readonly string[]) =>
    void process.stdout.write(`${values.json ? JSON.stringify({ ...guess, className: names[guess.class] }) : lineOf(guess, names)}\n`)
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  if (isOfFiles)
    await lookAtFiles(model, file, behind, plan.onBroken === 'skip' ? say : undefined, (guess) => write(guess, model.classNames ?? []))
  else
    await lookAtData(
      model,
      file,
      await openData(predictCommand, String(values.data ?? 'digits'), { ...plan, form: model }, say),
      wanted,
      write,
    )
  return 0
}

/** @param say told of what cannot be read, where that is left out */
async function lookAtFiles(
  model: Model,
  file: string,
  images: readonly string[],
  say: ((line: string) => void) | undefined,
  write: (guess: Guess) => void,
): Promise<void> {
  checkGivesClasses(model, file, 2)
  // What makes every image unreadable is not left out with each of them.
  modelForm(model, file)
  loadSharp('predict')
  const read = (image: string) =>
    readImage(image, { model }).catch((error: unknown) => {
      if (!say || !(error instanceof ConvlaneError) || error.code === 'OUT_OF_MEMORY') throw error
      return error
    })
  let [at, seen] = [0, 0]
  for await (const x of inOrder(images, read, AHEAD)) {
    const image = images[at++]!
    if (x instanceof ConvlaneError) say?.(`left out: ${x.message}`)
    else {
      write({ file: image, ...(await look(model, x, image)) })
      seen++
    }
  }
  if (seen === 0) throw new ConvlaneError('INVALID_FILE', `predict: none of the images can be read, ${at} left out`)
}

async function lookAtData(
  model: Model,
  file: string,
  data: OpenedData,
  wanted: readonly number[] | undefined,
  write: (guess: Guess, names: readonly string[]) => void,
): Promise<void> {
  checkClassifier(model, file, data)
  const shown = wanted ?? Array.from({ length: Math.min(10, data.test.length) }, (_, i) => i)
  checkIndices(predictCommand, shown, data.test.length)
  for (const index of shown) {
    const { x, y } = sliceDataset(data.test, index, index + 1)
    write({ index, label: y.data[0]!, ...(await look(model, x, `image ${index}`)) }, data.test.classNames ?? [])
  }
}

interface Guess {
  readonly file?: string
  readonly index?: number
  readonly label?: number
  readonly class: number
  /** By class number. */
  readonly probabilities: readonly number[]
}

/** @param name of the image, for messages */
async function look(model: Model, x: Samples, name: string): Promise<Pick<Guess, 'class' | 'probabilities'>> {
  const said = await model.predict(x)
  const [row] = probabilitiesOf(model.architecture, name)(said)
  return { class: firstLargest(said.data.length === 1 ? row! : said.data), probabilities: row! }
}

function lineOf({ file, index, label, class: likeliest, probabilities: all }: Guess, names: readonly string[]): string {
  const name = (number: number) => names[number] ?? String(number)
  const shares = all
    .map((probability, number) => ({ probability, number }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN)
    .map(({ probability, number }) => `${name(number)} ${percent(probability)}`)
  const labelled = label === undefined ? '' : `  (labelled ${name(label)}${label === likeliest ? '' : ', wrong'})`
  return `${file ?? `image ${index}`}: ${shares.join(', ')}${labelled}`
}
