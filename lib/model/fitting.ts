import { checkBoolean, checkOptions } from '../check'
import { checkSeed } from '../random'
import { checkInteger, checkNumber } from '../shape'
import { checkAugment } from '../train/augmentation'
import { checkCheckpointOptions, checkFile, type RunFacts } from '../train/checkpoint'
import { EarlyStopping } from '../train/earlyStopping'
import { groupsConfig } from '../train/groups'
import { lossFacts, type Objective, reportNames } from '../train/objective'
import { optimizerFacts } from '../train/optimizers'
import { callbacksOf, checkSignal, type FitOptions, fitOptionNames } from '../train/options'
import { checkClassWeight } from '../train/weights'
import type { Architecture, InputEnd } from './architecture'

/** The options of fit, checked, with defaults. Throws INVALID_ARGUMENT. `seed`: the model's. */
export function checkFit(options: FitOptions, objective: Objective, inputs: readonly InputEnd[], ofModel: number) {
  checkOptions('fit', options, fitOptionNames)
  const { epochs = 1, batchSize = 32, shuffle = true, seed = ofModel, validationData, validationSplit = 0 } = options
  checkInteger(batchSize, 'fit', 'batchSize')
  checkSeed(seed, 'fit')
  checkNumber(validationSplit, 'fit', 'validationSplit', { low: 0, high: 1, below: true })
  const order = checkBoolean(shuffle, 'fit', 'shuffle') ? seed : undefined
  const earlyStopping = options.earlyStopping && new EarlyStopping(options.earlyStopping)
  const checkpoint = checkCheckpointOptions(options.checkpoint)
  const augment = checkAugment(options.augment, inputs, objective)
  const resume = options.resume === undefined ? undefined : checkFile(options.resume, 'resume')
  const classWeight = checkClassWeight(options.classWeight, objective)
  return {
    loop: { epochs: checkInteger(epochs, 'fit', 'epochs'), signal: checkSignal(options.signal, 'fit'), callbacks: callbacksOf(options) },
    sources: { batchSize, order, seed, validationData, validationSplit, classWeight },
    session: { earlyStopping, checkpoint, augment, resume },
  }
}

/** What a run that goes on with another must have in common with it; what is as by default is left out where earlier releases had no word for it. */
export function runFacts(
  { sources, session }: ReturnType<typeof checkFit>,
  { earlyStopping }: FitOptions,
  objective: Objective,
  { frozen }: Architecture,
  { runtime, length }: { readonly runtime: string; readonly length: number | undefined },
): RunFacts {
  const { batchSize, order, seed, validationSplit, classWeight } = sources
  const { groups, accumulate, ema, optimizer, winograd, autotune } = objective
  return {
    runtime,
    optimizer: optimizerFacts(optimizer),
    ...(groups.length > 0 && { groups: groupsConfig(groups) }),
    ...(accumulate > 1 && { accumulate }),
    ...(ema && { ema }),
    ...(!winograd && { winograd }),
    ...(autotune && { autotune: true }),
    ...(frozen.size > 0 && { frozen: [...frozen].sort() }),
    batchSize,
    shuffle: order !== undefined,
    seed,
    length: length ?? null,
    validationSplit,
    augment: session.augment ?? null,
    earlyStopping: earlyStopping ?? null,
    reports: reportNames(objective),
    losses: lossFacts(objective),
    classWeight: classWeight ?? null,
    note: session.checkpoint?.note ?? null,
  }
}
