import { loadModel } from '../model/load'
import { classTable, confusionTable } from '../train/classification'
import { type Command, parseCommand, printHelp, usage, wholeNumber } from './arguments'
import { checkClassifier } from './classifier'
import { dataOption, openData } from './data'
import { folderOptions, imagePlan } from './images'
import { percent } from './progress'
import { chooseMachine, runtimeOptions } from './runtime'

export const evaluateCommand = {
  name: 'evaluate',
  arguments: 'MODEL',
  about: `Measures a saved model on the test images of a data set: loss, accuracy, precision, recall and F1 of each class, and,
for up to 20 classes, how many images of each class were taken for which.`,
  options: {
    data: dataOption,
    ...folderOptions,
    batch: { value: 'N', about: 'images in a run (default 256)' },
    ...runtimeOptions,
    json: { about: 'one line of JSON instead' },
  },
} satisfies Command

/** Classes of the largest confusion matrix that is shown. */
const WIDEST = 20

/** Runs `convlane evaluate`; gives the exit code. */
export async function evaluate(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(evaluateCommand, argv)
  if (!parsed) return printHelp(evaluateCommand)
  const { values, positionals } = parsed
  const [file, unexpected] = positionals
  if (file === undefined) throw usage(evaluateCommand, 'MODEL is missing: the file that train saved')
  if (unexpected !== undefined) throw usage(evaluateCommand, `unexpected argument "${unexpected}"`)
  const batchSize = wholeNumber(evaluateCommand, 'batch', values.batch, 1)
  const machine = chooseMachine(evaluateCommand, values)
  const dataset = String(values.data ?? 'digits')
  const model = await loadModel(file, { runtime: machine.runtime })
  const images = imagePlan(evaluateCommand, values, model)
  const data = await openData(evaluateCommand, dataset, images, (line) => void process.stderr.write(`${line}\n`))
  checkClassifier(model, file, data)
  const start = performance.now()
  const metrics = ['accuracy', 'confusionMatrix'] as const
  const { loss, accuracy, perClass, confusionMatrix } = await model.evaluate(data.test, { metrics, ...(batchSize && { batchSize }) })
  const imagesPerSecond = data.test.length / ((performance.now() - start) / 1000)
  const { classNames } = data.test
  const classes = perClass!.map((result, k) => ({ class: classNames?.[k] ?? String(k), ...result }))
  const line = values.json
    ? JSON.stringify({
        dataset,
        model: file,
        images: data.test.length,
        loss,
        accuracy,
        imagesPerSecond,
        ...machine,
        classes,
        confusionMatrix,
      })
    : `${data.test.length.toLocaleString('en')} test images of ${dataset}: accuracy ${percent(accuracy!)}, loss ${loss.toFixed(4)}, ${Math.round(imagesPerSecond).toLocaleString('en')} images/s`
  process.stdout.write(`${line}\n`)
  if (!values.json) process.stdout.write(`\n${classTable(perClass!, classNames)}\n`)
  if (!values.json && confusionMatrix!.length <= WIDEST) process.stdout.write(`\n${confusionTable(confusionMatrix!, classNames)}\n`)
  return 0
}
