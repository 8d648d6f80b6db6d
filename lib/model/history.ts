import { checkOptions, invalid } from '../check'
import type { EpochEvent, History, Results } from '../train/events'

/** The numbers of an epoch: what is measured by class is large, and can be measured again. NaN is null in JSON. */
const numbersOf = ({ epoch, loss, metrics, validation, learningRate, seconds, imagesPerSecond }: EpochEvent) => ({
  epoch,
  loss,
  metrics,
  ...(validation && { validation: Object.fromEntries(Object.entries(validation).filter(([, value]) => typeof value === 'number')) }),
  learningRate,
  seconds,
  imagesPerSecond,
})

/** A history as a file has it. */
export function historyDocument({ epochs, stopped }: History): object {
  return { epochs: epochs.map(numbersOf), ...(stopped && { stopped }) }
}

/** Reads what {@link historyDocument} gave, as JSON. Throws INVALID_ARGUMENT. */
export function readHistory(value: unknown): History {
  checkOptions('history', value, ['epochs', 'stopped'])
  const { epochs, stopped } = value as { epochs?: unknown; stopped?: unknown }
  if (!Array.isArray(epochs)) throw invalid('history', 'epochs', 'an array', epochs)
  if (stopped !== undefined && stopped !== 'aborted' && stopped !== 'earlyStopping') {
    throw invalid('history', 'stopped', "'aborted' or 'earlyStopping'", stopped)
  }
  return { epochs: epochs.map(readEpoch), ...(stopped && { stopped }) }
}

const epochKeys = ['epoch', 'loss', 'metrics', 'validation', 'learningRate', 'seconds', 'imagesPerSecond']

function readEpoch(value: unknown): EpochEvent {
  checkOptions('history: an epoch', value, epochKeys)
  const { metrics, validation, ...rest } = value as Record<string, unknown>
  const { epoch, loss, learningRate, seconds, imagesPerSecond } = numbers(rest)
  return {
    epoch: epoch!,
    loss: loss!,
    metrics: numbers(metrics),
    ...(validation !== undefined && { validation: numbers(validation) as Results }),
    learningRate: learningRate!,
    seconds: seconds!,
    imagesPerSecond: imagesPerSecond!,
  }
}

function numbers(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('history', 'an epoch', 'numbers by name', value)
  return Object.fromEntries(
    Object.entries(value).map(([name, number]) => {
      if (number !== null && typeof number !== 'number') throw invalid('history', name, 'a number', number)
      return [name, number ?? Number.NaN]
    }),
  )
}
