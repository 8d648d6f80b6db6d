import { ConvlaneError } from '../errors'
import { loadModel } from '../model/load'
import type { Model } from '../model/model'
import { report as pageOf } from '../report/report'
import { stepLog } from '../report/stepLog'
import { type Command, parseCommand, printHelp, usage, wholeNumber } from './arguments'
import { checkClassifier } from './classifier'
import { dataOption, type OpenedData, openData } from './data'
import { folderOptions, imagePlan } from './images'
import { checkIndices, imageIndices } from './indices'
import { catchInterrupt } from './interrupt'
import { chooseMachine, runtimeOptions } from './runtime'
import { checkApart, writable } from './writable'

export const reportCommand = {
  name: 'report',
  arguments: 'MODEL',
  about: `Writes a page that shows what a saved model does, one HTML file that needs nothing else:
curves of its training, results on the test images of a data set, the worst mistakes, filters, feature maps, weights and gradients,
the layers with their times, and what is needed to repeat it.`,
  options: {
    data: dataOption,
    ...folderOptions,
    index: {
      value: 'N',
      about:
        'whose feature maps are shown, from 0: --index 0 1 2 or --index 0,1,2\n(default: the first that is told right, and the worst mistake)',
      multiple: true,
    },
    mistakes: { value: 'N', about: 'most mistakes that are shown (default 24)' },
    batch: { value: 'N', about: 'images in a run (default 256)' },
    ...runtimeOptions,
    out: { value: 'FILE', about: 'where to write (default: MODEL with .html for its ending)' },
  },
} satisfies Command

/** Runs `convlane report`; gives the exit code. */
export async function report(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(reportCommand, argv)
  if (!parsed) return printHelp(reportCommand)
  const { values, positionals } = parsed
  const [file, ...behind] = positionals
  if (file === undefined) throw usage(reportCommand, 'MODEL is missing: the file that train saved')
  if (values.index === undefined && behind.length > 0) throw usage(reportCommand, `unexpected argument "${behind[0]}"`)
  const examples = imageIndices(reportCommand, values, behind)
  const mistakes = wholeNumber(reportCommand, 'mistakes', values.mistakes, 0, 1000)
  const batchSize = wholeNumber(reportCommand, 'batch', values.batch, 1)
  const machine = chooseMachine(reportCommand, values)
  const out = await writable(String(values.out ?? pageFile(file)))
  await checkApart(reportCommand, { MODEL: file, '--out': out })
  const interrupt = catchInterrupt(() => void process.stderr.write('stopping …\n'))
  try {
    const model = await loadModel(file, { runtime: machine.runtime })
    const dataset = String(values.data ?? 'digits')
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const data = await openData(reportCommand, dataset, imagePlan(reportCommand, values, model), say, interrupt.signal)
    checkClassifier(model, file, data)
    if (examples) checkIndices(reportCommand, examples, data.test.length)
    await pageOf(model, undefined, data.test, {
      file: out,
      title: `${file} on ${dataset}`,
      ...(examples && { examples }),
      ...(mistakes !== undefined && { mistakes }),
      ...(batchSize !== undefined && { batchSize }),
      run: { model: file, data: dataFact(dataset, data) },
      signal: interrupt.signal,
    })
    process.stdout.write(`wrote ${out}\n`)
    return interrupt.exitCode
  } catch (error) {
    if (error instanceof ConvlaneError && error.code === 'ABORTED' && interrupt.exitCode !== 0) return interrupt.exitCode
    throw error
  } finally {
    interrupt.release()
  }
}

/** `m.safetensors` → `m.html`. */
const pageFile = (model: string): string => `${model.replace(/\.safetensors$/, '')}.html`

/** What `run` tells of data. */
const dataFact = (name: string, { test }: OpenedData) => `${name}, ${test.length.toLocaleString('en')} test images`

/** Of `train`. */
export const reportOption = {
  value: 'FILE',
  about: 'writes a page there, too, that shows the run and what the network does: one HTML file',
} as const

/** The page of a training: its steps while it goes on, written when it is done. */
export class RunReport {
  readonly log = stepLog()
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Gives the line that says so. */
  async write(model: Model, data: OpenedData, given: { readonly data: string; readonly model: string }, plan: object): Promise<string> {
    await pageOf(model, undefined, data.test, {
      file: this.#file,
      title: `${given.model} on ${given.data}`,
      steps: this.log.points,
      run: { command: commandLine(), network: given.model, data: dataFact(given.data, data), ...plan },
    })
    return `wrote ${this.#file}`
  }
}

/** The command as it was given, for a shell. */
function commandLine(): string {
  const words = process.argv.slice(2).map((word) => (/^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
  return ['convlane', ...words].join(' ')
}
