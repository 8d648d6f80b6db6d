import type { Transformation } from '../augment/transformations'
import type { Dataset } from '../data/dataset'
import { variants } from '../data/variants'
import type { Tensor } from '../tensor'
import type { XY } from '../train/data'
import { adam, type Optimizer, type Schedule, sgd } from '../train/optimizers'
import { type Command, choice, usage, wholeNumber } from './arguments'
import { augmentOption, parseAugment } from './augment'

export const recipeOptions = {
  epochs: { value: 'N', about: 'passes over the training images (default: 3; 5 for fewer than 10,000 images)' },
  batch: { value: 'N', about: 'images in a step (default: 64; 32 for fewer than 10,000 images)' },
  variants: {
    value: 'N',
    about:
      'versions of each training image, turned, slanted, resized and shifted a little\n(default: 1, the image alone; 16 for fewer than 10,000 images without --augment)',
  },
  augment: augmentOption,
  optimizer: { value: 'sgd|adam', about: 'default adam; for fewer than 10,000 images sgd, which has momentum 0.9 and weight decay 0.0005' },
  lr: {
    value: 'R',
    about: 'highest learning rate: it rises for 5 % of the steps, then falls to 0 on a cosine\n(default: 0.05 for sgd, 0.002 for adam)',
  },
  seed: { value: 'N', about: 'of the first weights and the order of images (default 1)' },
} as const

/** How `train` trains. */
export interface Plan {
  readonly epochs: number
  readonly batchSize: number
  readonly variants: number
  /** Absent: nothing is done to images. */
  readonly augment?: readonly Transformation[]
  readonly optimizer: 'sgd' | 'adam'
  readonly learningRate: number
  readonly seed: number
}

/** Checks the options at once, and gives the plan when the data is known. */
export function planReader(command: Command, values: Readonly<Record<string, unknown>>): (data: Dataset) => Plan {
  const epochs = wholeNumber(command, 'epochs', values.epochs, 1)
  const batch = wholeNumber(command, 'batch', values.batch, 1)
  const versions = wholeNumber(command, 'variants', values.variants, 1)
  const augment = parseAugment(command, values.augment)
  const seed = wholeNumber(command, 'seed', values.seed, 0) ?? 1
  const chosen = choice(command, 'optimizer', values.optimizer, ['sgd', 'adam'])
  const rate = values.lr === undefined ? undefined : Number(values.lr)
  if (rate !== undefined && !(Number.isFinite(rate) && rate > 0)) {
    throw usage(command, `--lr must be a number above 0, received "${values.lr}"`)
  }
  return ({ length }) => {
    const isSmall = length < 10_000
    const optimizer = chosen ?? (isSmall ? 'sgd' : 'adam')
    return {
      epochs: epochs ?? (isSmall ? 5 : 3),
      batchSize: batch ?? (isSmall ? 32 : 64),
      variants: versions ?? (isSmall && augment.length === 0 ? 16 : 1),
      ...(augment.length > 0 && { augment }),
      optimizer,
      learningRate: rate ?? { sgd: 0.05, adam: 0.002 }[optimizer],
      seed,
    }
  }
}

/**
 * What goes into training by a plan: the images in their versions with softened labels, how many, and the optimizer with its schedule.
 * The choices in this file were made on parts of the training images alone.
 */
export function prepare(train: Dataset, classes: number, plan: Plan): { images: XY; count: number; optimizer: Optimizer } {
  const { x, y, length, normalize } = plan.variants > 1 ? variants(train, { copies: plan.variants, seed: plan.seed }) : train
  const images = { x, y: softened(y.data, classes), ...(normalize && { normalize }) }
  const learningRate = schedule(plan.learningRate, plan.epochs * Math.ceil(length / plan.batchSize))
  const optimizer = plan.optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum: 0.9, weightDecay: 0.0005 })
  return { images, count: length, optimizer }
}

/** Share of a label that is spread over all classes (Szegedy and others, "Rethinking the Inception architecture", 2016). */
const SOFTENED = 0.1

function softened(labels: ArrayLike<number>, classes: number): Tensor {
  const data = new Float32Array(labels.length * classes).fill(SOFTENED / classes)
  for (let n = 0; n < labels.length; n++) data[n * classes + labels[n]!]! += 1 - SOFTENED
  return { shape: [labels.length, classes], data }
}

/** Share of the steps in which the rate rises. */
const WARM_UP = 0.05

/** Rises to `rate` in a line, then falls to 0 along half a cosine (Loshchilov and Hutter, "SGDR", 2017). */
function schedule(rate: number, steps: number): Schedule {
  const rise = WARM_UP * steps
  return (step) => Math.min(1, (step + 1) / (rise + 1)) * (rate / 2) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))
}
