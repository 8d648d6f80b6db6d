import type { Transformation } from '../augment/transformations'
import type { Dataset } from '../data/dataset'
import { variants } from '../data/variants'
import { allocate, type Tensor } from '../tensor'
import type { XY } from '../train/data'
import { adam, adamw, type Optimizer, type Schedule, sgd } from '../train/optimizers'
import { type Command, choice, usage, wholeNumber } from './arguments'
import { augmentOption, parseAugment } from './augment'
import { optimizers, type Recipe, recipeFor, schedules, usual } from './networks'

export const recipeOptions = {
  epochs: { value: 'N', about: 'passes over the training images' },
  batch: { value: 'N', about: 'images in a step' },
  variants: {
    value: 'N',
    about:
      'versions of each training image, turned, slanted, resized and shifted a little; 1: the image alone\n(default with --augment: 1)',
  },
  augment: augmentOption,
  optimizer: { value: optimizers.join('|'), about: 'sgd has momentum 0.9' },
  lr: { value: 'R', about: "highest learning rate (default for another optimizer than the network's: sgd 0.05, adam and adamw 0.002)" },
  schedule: {
    value: schedules.join('|'),
    about:
      'of the learning rate. cosine (default): it rises for 5 % of the steps, then falls to 0 on a cosine;\nsteps: a tenth from half of the steps on, a hundredth from three quarters on',
  },
  'weight-decay': {
    value: 'R',
    about:
      "pulls weights towards 0; with adamw past the means of the gradients\n(default for another optimizer than the network's: sgd 0.0005, adam 0, adamw 0.01)",
  },
  seed: { value: 'N', about: 'of the first weights and the order of images (default 1)' },
} as const

/** How `train` trains. */
export interface Plan extends Recipe {
  /** Absent: nothing is done to images. */
  readonly augment?: readonly Transformation[]
  readonly seed: number
}

/** @param photographAugment what is done at random to images from files of their own where nobody says; absent for others */
export type PlanReader = (network: string, data: Dataset, photographAugment?: readonly Transformation[]) => Plan

/** Checks the options at once, and gives the plan when network and data are known. */
export function planReader(command: Command, values: Readonly<Record<string, unknown>>): PlanReader {
  const number = (name: string) => wholeNumber(command, name, values[name], 1)
  const [epochs, batchSize, copies] = [number('epochs'), number('batch'), number('variants')]
  const augment = parseAugment(command, values.augment)
  const seed = wholeNumber(command, 'seed', values.seed, 0) ?? 1
  const chosen = choice(command, 'optimizer', values.optimizer, optimizers)
  const schedule = choice(command, 'schedule', values.schedule, schedules)
  const learningRate = realNumber(command, 'lr', values.lr, 'above 0', (rate) => rate > 0)
  const weightDecay = realNumber(command, 'weight-decay', values['weight-decay'], 'of at least 0', (decay) => decay >= 0)
  return (network, { length }, photographAugment) => {
    const recipe = recipeFor(network, length, photographAugment !== undefined)
    const changes = augment.length > 0 || copies !== undefined ? augment : (photographAugment ?? [])
    const optimizer = chosen ?? recipe.optimizer
    const strength = optimizer === recipe.optimizer ? recipe : usual[optimizer]
    return {
      epochs: epochs ?? recipe.epochs,
      batchSize: batchSize ?? recipe.batchSize,
      variants: copies ?? (changes.length > 0 ? 1 : recipe.variants),
      ...(changes.length > 0 && { augment: changes }),
      optimizer,
      learningRate: learningRate ?? strength.learningRate,
      seed,
      weightDecay: weightDecay ?? strength.weightDecay,
      schedule: schedule ?? recipe.schedule,
    }
  }
}

/** A number option. Throws {@link UsageError}. */
function realNumber(command: Command, name: string, text: unknown, range: string, fits: (value: number) => boolean): number | undefined {
  if (text === undefined) return undefined
  const value = String(text).trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value) && fits(value)) return value
  throw usage(command, `--${name} must be a number ${range}, received "${text}"`)
}

/**
 * What goes into training by a plan: the images in their versions with softened labels, how many, and the optimizer with its schedule.
 * The choices in this file were made on parts of the training images alone.
 */
export function prepare(train: Dataset, classes: number, plan: Plan): { images: XY; count: number; optimizer: Optimizer } {
  const { x, y, length, normalize, classNames } = plan.variants > 1 ? variants(train, { copies: plan.variants, seed: plan.seed }) : train
  const images = { x, y: softened(y.data, classes), ...(normalize && { normalize }), ...(classNames && { classNames }) }
  const learningRate = rates[plan.schedule](plan.learningRate, plan.epochs * Math.ceil(length / plan.batchSize))
  const { weightDecay } = plan
  const optimizer = {
    sgd: () => sgd({ learningRate, momentum: 0.9, weightDecay }),
    adam: () => adam({ learningRate, weightDecay }),
    adamw: () => adamw({ learningRate, weightDecay }),
  }[plan.optimizer]()
  return { images, count: length, optimizer }
}

/** Share of a label that is spread over all classes (Szegedy and others, "Rethinking the Inception architecture", 2016). */
const SOFTENED = 0.1

function softened(labels: ArrayLike<number>, classes: number): Tensor {
  const data = allocate(Float32Array, labels.length * classes, 'train').fill(SOFTENED / classes)
  for (let n = 0; n < labels.length; n++) data[n * classes + labels[n]!]! += 1 - SOFTENED
  return { shape: [labels.length, classes], data }
}

/** Share of the steps in which the rate rises. */
const WARM_UP = 0.05

/** Rises to `rate` in a line, then falls to 0 along half a cosine (Loshchilov and Hutter, "SGDR", 2017). */
function cosine(rate: number, steps: number): Schedule {
  const rise = WARM_UP * steps
  return (step) => Math.min(1, (step + 1) / (rise + 1)) * (rate / 2) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))
}

/** A tenth of the rate from half of the steps on, a hundredth from three quarters on: as He and others (2016) train on CIFAR-10. */
function inSteps(rate: number, steps: number): Schedule {
  return (step) => (step < steps / 2 ? rate : step < 0.75 * steps ? rate / 10 : rate / 100)
}

const rates: Readonly<Record<Recipe['schedule'], (rate: number, steps: number) => number | Schedule>> = {
  cosine,
  steps: inSteps,
  constant: (rate) => rate,
}
