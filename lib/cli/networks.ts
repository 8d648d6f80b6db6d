import type { Model } from '../model/model'
import type { ZooOptions } from '../zoo/image'
import { lenet } from '../zoo/lenet'
import { mlp } from '../zoo/mlp'
import { mobilenetV2Small } from '../zoo/mobilenetV2Small'
import { nielsen } from '../zoo/nielsen'
import { resnet18 } from '../zoo/resnet18'
import { resnet20 } from '../zoo/resnet20'
import { vgg } from '../zoo/vgg'

export const optimizers = ['sgd', 'adam', 'adamw'] as const
export const schedules = ['cosine', 'steps', 'constant'] as const

/** How a network is trained. */
export interface Recipe {
  readonly epochs: number
  readonly batchSize: number
  /** Versions of each image. */
  readonly variants: number
  readonly optimizer: (typeof optimizers)[number]
  /** The highest. */
  readonly learningRate: number
  readonly weightDecay: number
  readonly schedule: (typeof schedules)[number]
}

export interface Network {
  readonly make: (options: ZooOptions) => Model
  /** What it is, in a few words. */
  readonly about: string
  /** Where nothing else is said. */
  readonly recipe: Recipe
  /** The same for fewer than {@link FEW} images. */
  readonly few: Recipe
}

/** Below so many training images there are other defaults. */
export const FEW = 10_000

/** Rate and weight decay of an optimizer that is not the one of the recipe. */
export const usual: Readonly<Record<Recipe['optimizer'], Pick<Recipe, 'learningRate' | 'weightDecay'>>> = {
  sgd: { learningRate: 0.05, weightDecay: 0.0005 },
  adam: { learningRate: 0.002, weightDecay: 0 },
  adamw: { learningRate: 0.002, weightDecay: 0.01 },
}

const many: Recipe = { epochs: 3, batchSize: 64, variants: 1, optimizer: 'adam', ...usual.adam, schedule: 'cosine' }
const few: Recipe = { epochs: 5, batchSize: 32, variants: 16, optimizer: 'sgd', ...usual.sgd, schedule: 'cosine' }
const fewPhotographs: Recipe = { ...few, epochs: 40, variants: 1, optimizer: 'adam', learningRate: 0.001, weightDecay: 0 }
const sgd = { ...many, optimizer: 'sgd', ...usual.sgd } as const

/** Networks that are made anew, by the name that `--model` takes. */
export const networks: Readonly<Record<string, Network>> = Object.assign(Object.create(null), {
  mlp: {
    make: mlp,
    about: '30 sigmoid units',
    recipe: { ...sgd, epochs: 10, batchSize: 32, learningRate: 0.2, weightDecay: 0 },
    few: { ...few, epochs: 20, learningRate: 0.2, weightDecay: 0 },
  },
  lenet: { make: lenet, about: 'two convolutions, two dense layers', recipe: many, few },
  nielsen: {
    make: nielsen,
    about: 'two convolutions, three dense layers with dropout',
    recipe: { ...many, epochs: 10, learningRate: 0.001 },
    few: { ...few, epochs: 10 },
  },
  vgg: { make: vgg, about: 'six convolutions', recipe: { ...sgd, epochs: 5 }, few },
  resnet18: { make: resnet18, about: '17 convolutions, up to 512 filters', recipe: { ...sgd, epochs: 5 }, few },
  resnet20: {
    make: resnet20,
    about: '19 convolutions, up to 64 filters',
    recipe: { ...sgd, epochs: 10, batchSize: 128, learningRate: 0.1, weightDecay: 0.0001 },
    few: { ...few, weightDecay: 0.0001 },
  },
  'mobilenet-v2-small': {
    make: mobilenetV2Small,
    about: '17 inverted residuals, depthwise',
    recipe: { ...sgd, epochs: 10, weightDecay: 0.00004 },
    few: { ...few, weightDecay: 0.00004 },
  },
} satisfies Record<string, Network>)

/**
 * The recipe for so many images; of a saved model, whose network has no name here, that of `lenet`. From photographs, which are larger, all networks learn with Adam at
 * a low rate: at sgd's, `lenet` ends at one class. They are changed anew in each epoch instead of having versions.
 */
export function recipeFor(name: string, images: number, isPhotographs: boolean): Recipe {
  const { recipe, few } = networks[name] ?? networks.lenet!
  if (!isPhotographs) return images < FEW ? few : recipe
  return images < FEW ? fewPhotographs : { ...fewPhotographs, epochs: recipe.epochs }
}

/** All recipes as a table, for the help. */
export function recipeTable(): string {
  const heads = ['network', 'epochs', 'batch', 'variants', 'optimizer', 'rate', 'decay', '']
  const cells = ({ epochs, batchSize, variants, optimizer, learningRate, weightDecay }: Recipe) =>
    [epochs, batchSize, variants, optimizer, learningRate, weightDecay].map(String)
  const table = (pick: (network: Network) => Recipe) => {
    const rows = [heads, ...Object.entries(networks).map(([name, network]) => [name, ...cells(pick(network)), network.about])]
    const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd()).join('\n')
  }
  return `Networks, and how they are trained where nothing else is said:

${table(({ recipe }) => recipe)}

For fewer than ${FEW.toLocaleString('en')} images:

${table(({ few }) => few)}

From a folder of images all learn with ${fewPhotographs.optimizer} at ${fewPhotographs.learningRate}, batch ${fewPhotographs.batchSize}, ${fewPhotographs.epochs} epochs for fewer than ${FEW.toLocaleString('en')},
flipped and shifted at random where neither --augment nor --variants says otherwise.`
}
