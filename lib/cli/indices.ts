import { type Command, usage, wholeNumber } from './arguments'

/**
 * Which test images `--index` names, from 0, with the arguments behind it: `--index 0 1 2` or `--index 0,1,2`. Nothing without it. Throws {@link UsageError}.
 * @param behind arguments that belong to no option
 */
export function imageIndices(command: Command, values: Readonly<Record<string, unknown>>, behind: readonly string[]): number[] | undefined {
  if (values.index === undefined) return undefined
  const texts = [...(values.index as string[]), ...behind]
  return texts.flatMap((text) => text.split(',').map((part) => wholeNumber(command, 'index', part, 0)!))
}

/** Throws {@link UsageError} where one of so many test images is not there. */
export function checkIndices(command: Command, indices: readonly number[], count: number): void {
  const outside = indices.find((index) => index >= count)
  if (outside !== undefined) throw usage(command, `--index ${outside}: there are test images 0 to ${count - 1}`)
}
