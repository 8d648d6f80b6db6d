import { stat } from 'node:fs/promises'
import { type Dashboard, type DashboardOptions, DEFAULT_PORT, dashboard } from '../dashboard/dashboard'
import { sliceDataset } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { removeLeftovers } from '../io/atomic-file'
import { weightsSha256 } from '../io/weights-hash'
import { loadModel } from '../model/load'
import type { Model } from '../model/model'
import { tensorBoard } from '../tensorboard/tensorBoard'
import type { Callback, EpochEvent, StepEvent } from '../train/events'
import { type Command, nearestOf, parseCommand, printHelp, usage, wholeNumber } from './arguments'
import { beside } from './beside'
import { checkClassifier } from './classifier'
import { dataName, dataOption, type OpenedData, openData } from './data'
import { folderOptions, formOptions, imagePlan, photographAugment } from './images'
import { catchInterrupt } from './interrupt'
import { networks, recipeTable, usual } from './networks'
import { Progress, percent } from './progress'
import { type Plan, planReader, prepare, recipeOptions } from './recipe'
import { RunReport, reportOption } from './report'
import { chooseMachine, type Machine, runtimeOptions } from './runtime'
import { checkApart, writable } from './writable'

export const trainCommand = {
  name: 'train',
  about: `Trains a network to put images into classes, saves it, and measures it on test images that it has never seen.
Labels are softened by 0.1, which shows in the loss while it trains: the test's loss is without.
Ctrl-C stops after the current step and saves.`,
  options: {
    data: dataOption,
    ...formOptions,
    ...folderOptions,
    model: {
      value: 'NAME|FILE',
      about: `a new network: ${Object.keys(networks).join(', ')}\n(default lenet); or a saved model to go on with`,
    },
    classes: { value: 'N', about: 'how many classes a new network tells apart (default: as many as the data has)' },
    ...recipeOptions,
    checkpoint: {
      value: 'FILE',
      about:
        'saves there, after each epoch, all that is needed to go on after an interruption, however sudden\n(where there is a file already only with --resume: nothing is replaced that was not gone on from)',
    },
    every: { value: 'STEPS', about: 'checkpoints every so many steps, too' },
    resume: {
      about:
        'goes on from the checkpoint with the result of a run that was never stopped\n(the same options again; where there is no checkpoint yet, from the beginning)',
    },
    dashboard: {
      value: 'PORT',
      isBare: true,
      about: `a page in the browser on which to watch, at this port of this machine (default ${DEFAULT_PORT}; 0: any that is free)`,
    },
    'dashboard-host': {
      value: 'HOST',
      about: 'lets everybody look who reaches this address or name of this machine\n(default 127.0.0.1: nobody from elsewhere)',
    },
    tensorboard: { value: 'DIR', about: 'writes curves, histograms and filters there, for TensorBoard: tensorboard --logdir DIR' },
    report: reportOption,
    ...runtimeOptions,
    out: { value: 'FILE', about: 'where to save (default: DATA-MODEL.safetensors here, or the FILE of --model)' },
    json: { about: 'ends standard output with one line of JSON; the rest goes to standard error' },
  },
  more: recipeTable(),
} satisfies Command

/** Runs `convlane train`; gives the exit code. */
export async function train(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(trainCommand, argv)
  if (!parsed) return printHelp(trainCommand)
  const { values } = parsed
  const given = { data: String(values.data ?? 'digits'), model: String(values.model ?? 'lenet') }
  const readPlan = planReader(trainCommand, values)
  const classes = wholeNumber(trainCommand, 'classes', values.classes, 1)
  if (classes !== undefined && !(given.model in networks))
    throw usage(trainCommand, '--classes is for a new network, not for a saved model')
  const every = wholeNumber(trainCommand, 'every', values.every, 1)
  for (const name of ['every', 'resume'] as const) {
    if (values[name] !== undefined && values.checkpoint === undefined) throw usage(trainCommand, `--${name} needs --checkpoint FILE`)
  }
  const port = values.dashboard === '' ? DEFAULT_PORT : wholeNumber(trainCommand, 'dashboard', values.dashboard, 0, 65_535)
  if (values['dashboard-host'] !== undefined && port === undefined) throw usage(trainCommand, '--dashboard-host needs --dashboard')
  const machine = chooseMachine(trainCommand, values)
  const out = values.json ? process.stderr : process.stdout
  const say = (line: string) => void out.write(`${line}\n`)
  let progress: Progress | undefined
  let board: Dashboard | undefined
  const interrupt = catchInterrupt(() => {
    progress?.clear()
    say('stopping after this step …')
  })
  try {
    const saved = given.model in networks ? undefined : await loadSaved(given.model, machine)
    const { file, checkpoint, resume, page: pageFile } = await filesOf(values, given)
    const data = await openData(trainCommand, given.data, imagePlan(trainCommand, values, saved), say, interrupt.signal)
    const plan = readPlan(given.model, data.train, data.isPhotographs ? photographAugment(data.train.x.shape.slice(1)) : undefined)
    if (values.resume) await removeLeftovers(file) // of a run that was killed while it saved
    const model = saved ?? newModel(given.model, data, classes, plan, machine)
    if (saved) checkClassifier(saved, given.model, data)
    const page = pageFile === undefined ? undefined : new RunReport(pageFile)
    const summary = model.summary()
    const { images, count, optimizer } = prepare(data.train, summary.layers.at(-1)!.outputShape[1]!, plan)
    model.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    const params = summary.parameters
    if (port !== undefined) {
      const facts = { port, title: `${given.model} on ${given.data}`, epochs: plan.epochs }
      board = pageOf(model, data, facts, values['dashboard-host'])
    }
    const url = await board?.listen()
    say(headline(given, data, plan, params, machine))
    if (values.resume) say(resume === undefined ? `no checkpoint ${checkpoint} yet: from the beginning` : `going on from ${resume}`)
    if (url !== undefined) say(`watch it at ${url}`)
    progress = new Progress(out, plan.epochs)
    const tell = (line: string) => {
      progress?.clear()
      say(line)
    }
    const files =
      values.tensorboard === undefined ? undefined : beside('--tensorboard', eventFiles(String(values.tensorboard), model, data), tell)
    const watchers = [board, files, page?.log].filter((watcher) => watcher !== undefined)
    const tally = new Tally(plan.batchSize, count)
    const fitted = model.fit(images, {
      epochs: plan.epochs,
      batchSize: plan.batchSize,
      seed: plan.seed,
      ...(plan.augment && { augment: plan.augment }),
      signal: interrupt.signal,
      callbacks: [progress, tally, ...watchers],
      ...(checkpoint !== undefined && {
        checkpoint: {
          file: checkpoint,
          ...(every && { every }),
          note: noteOf({ ...given, ...(values.split !== undefined && { split: String(values.split) }) }, plan),
        },
      }),
      ...(resume !== undefined && { resume }),
    })
    const { epochs } = await fitted.catch(async (error: unknown) => {
      // A checkpoint that cannot be written: what has been learnt since the last one is not in it.
      if (!(error instanceof ConvlaneError && error.code === 'FILE_ERROR') || tally.steps === 0) throw error
      const saved = model.save(file).then(() => `saved ${file}, as the training left it`)
      tell(await saved.catch((other: Error) => `not saved: ${other.message}`))
      throw error
    })
    progress.clear()
    await model.save(file)
    const isStopped = epochs.length < plan.epochs
    const test = isStopped ? undefined : await model.evaluate(data.test)
    if (test) say(`accuracy on ${data.test.length.toLocaleString('en')} images never seen: ${percent(test.accuracy!)}`)
    say(`saved ${file}`)
    if (page)
      say(isStopped ? `no report of a training that was stopped: convlane report ${file}` : await page.write(model, data, given, plan))
    if (!isStopped) say(`\n${whatNext(given.data, file, data.isPhotographs)}`)
    if (values.json) {
      const result = {
        dataset: given.data,
        model: given.model,
        params,
        ...plan,
        epochs: epochs.length,
        stopped: isStopped,
        trainLoss: epochs.at(-1)?.loss ?? null,
        testLoss: test?.loss ?? null,
        testAccuracy: test?.accuracy ?? null,
        ...tally.result(epochs),
        ...machine,
        out: file,
        weightsSha256: weightsSha256(await model.getWeights()),
      }
      process.stdout.write(`${JSON.stringify(result)}\n`)
    }
    return interrupt.exitCode
  } catch (error) {
    progress?.clear()
    if (error instanceof ConvlaneError && error.code === 'ABORTED' && interrupt.exitCode !== 0) return interrupt.exitCode
    throw error
  } finally {
    interrupt.release()
    await board?.close()
  }
}

/** What the run will write, and goes on from. Throws FILE_ERROR for what cannot be written, {@link UsageError} where one would replace another, or another run's checkpoint. */
async function filesOf(values: Readonly<Record<string, unknown>>, given: { data: string; model: string }) {
  const isNew = given.model in networks
  const file = await writable(String(values.out ?? (isNew ? `${dataName(given.data)}-${given.model}.safetensors` : given.model)))
  const others = ['checkpoint', 'report'].map((name) => (values[name] === undefined ? undefined : writable(String(values[name]))))
  const [checkpoint, page] = await Promise.all(others)
  const named = { '--checkpoint': checkpoint, '--report': page }
  await checkApart(trainCommand, { '--out': file, ...named })
  if (!isNew) await checkApart(trainCommand, { '--model': given.model, ...named })
  const there = checkpoint === undefined ? undefined : await stat(checkpoint).catch(() => undefined)
  if (there && there.size > 0 && !values.resume)
    throw usage(trainCommand, `--checkpoint: ${checkpoint} is there already: --resume goes on from it; remove it to begin anew`)
  return { file, checkpoint, page, resume: there && values.resume ? checkpoint : undefined }
}

function newModel(name: string, data: OpenedData, classes: number | undefined, { seed }: Plan, { runtime }: Machine): Model {
  const input = data.train.x.shape.slice(1) as [number, number, number]
  const there = data.train.classNames!.length
  if (classes !== undefined && classes < there) throw usage(trainCommand, `--classes ${classes}: ${data.name} has ${there}`)
  return networks[name]!.make({ input, classes: classes ?? there, seed, runtime })
}

function loadSaved(given: string, { runtime }: Machine): Promise<Model> {
  return loadModel(given, { runtime }).catch((error) => {
    throw withNetworks(given, error)
  })
}

/** Inputs whose feature maps are on the page. */
const WATCHED = 8

function pageOf(model: Model, { test }: OpenedData, options: DashboardOptions, host: unknown): Dashboard {
  const images = sliceDataset(test, 0, Math.min(WATCHED, test.length)).x
  return dashboard({ ...options, model, images, ...(host !== undefined && { host: String(host) }) })
}

/** Samples of which TensorBoard gets pictures and gradients. */
const SHOWN = 16

function eventFiles(dir: string, model: Model, { train, test }: OpenedData): Callback {
  const images = sliceDataset(test, 0, Math.min(SHOWN, test.length)).x
  const [, , , channels] = images.shape
  const gradients = sliceDataset(train, 0, Math.min(SHOWN, train.length))
  return tensorBoard(dir, { updateFreq: 'batch', model, gradients, ...((channels === 1 || channels === 3) && { images }) })
}

/** Where there is no such file, the name may have been meant for a network's. */
function withNetworks(given: string, error: unknown): unknown {
  const isMissing = error instanceof ConvlaneError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
  if (!isMissing) return error
  const nearest = nearestOf(given, Object.keys(networks))
  const hint = nearest ? `did you mean ${nearest}?` : `the networks are ${Object.keys(networks).join(', ')}`
  return new ConvlaneError('FILE_ERROR', `${error.message}; ${hint}`, { cause: error.cause })
}

/** Counts images and seconds of training, those of an epoch that is not finished too. */
class Tally {
  readonly #batchSize: number
  readonly #images: number
  /** Of this run. */
  steps = 0
  #part = { images: 0, seconds: 0 }

  constructor(batchSize: number, images: number) {
    this.#batchSize = batchSize
    this.#images = images
  }

  onStep({ step, imagesPerSecond }: StepEvent): void {
    this.steps++
    const images = Math.min(step * this.#batchSize, this.#images)
    this.#part = { images, seconds: images / imagesPerSecond }
  }

  onEpoch(): void {
    this.#part = { images: 0, seconds: 0 }
  }

  /** @param epochs all that are finished, those before a run was resumed, too */
  result(epochs: readonly EpochEvent[]): { imagesPerSecond: number | null; seconds: number } {
    const images = epochs.length * this.#images + this.#part.images
    const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, this.#part.seconds)
    return { imagesPerSecond: seconds > 0 ? images / seconds : null, seconds }
  }
}

/** What a run that is resumed must have in common with the one that wrote the checkpoint. Left out is what was once the only choice: older ones can be resumed. */
function noteOf(given: { data: string; model: string; split?: string }, { weightDecay, schedule, ...plan }: Plan): string {
  return JSON.stringify({
    ...given,
    ...plan,
    ...(weightDecay !== usual[plan.optimizer].weightDecay && { weightDecay }),
    ...(schedule !== 'cosine' && { schedule }),
  })
}

function headline(given: { data: string; model: string }, data: OpenedData, plan: Plan, params: number, machine: Machine): string {
  const { length, x, classNames } = data.train
  const images = `${length.toLocaleString('en')} images of ${x.shape.slice(1).join(' x ')} in ${classNames!.length} classes${plan.variants > 1 ? `, ${plan.variants} versions of each` : ''}${plan.augment ? ', changed at random' : ''}`
  const computed = machine.runtime === 'reference' ? 'reference runtime' : `${machine.isa}, threads: ${machine.threads}`
  return `${given.model} (${params.toLocaleString('en')} parameters) on ${given.data}: ${images}; ${computed}`
}

function whatNext(data: string, file: string, isPhotographs: boolean): string {
  const other =
    data === 'mnist'
      ? '--data DIR          images of your own, or CIFAR-10 (--help tells)'
      : '--data mnist        60,000 images, downloaded once (11 MB)'
  if (isPhotographs) {
    return `Try next:
  npx convlane predict ${file} some.jpg
  npx convlane evaluate ${file} --data ${data}`
  }
  return `Try next:
  npx convlane predict ${file} --data ${data} --index 0 1 2
  npx convlane train ${other}
  npx convlane train --help`
}
