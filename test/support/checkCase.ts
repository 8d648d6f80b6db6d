import type { Binding } from '../../binding'
import { loadNative } from '../../lib/native'
import { count } from './counts'
import { readBy, runNative, runReference, stepOf, tensorsOf, type Values, writtenBy } from './executeStep'
import type { OpCase } from './opCase'
import { opFacts } from './opFacts'
import { runProgram } from './runProgram'
import { firstDifference, firstOtherBit, toleranceOf } from './tolerance'

export const binding: Binding = loadNative()

/** Runs at one, two and three threads; the pool has as many threads as the machine gives it afterwards. */
function withThreads<T>(run: () => T): T[] {
  try {
    return [1, 2, 3].map((threads) => {
      binding.setThreads(threads)
      return run()
    })
  } finally {
    binding.setThreads(binding.defaultThreads())
  }
}

function fail(c: OpCase, algorithm: string, what: string): never {
  throw new Error(`${c.name} ${algorithm}: ${what}\n${JSON.stringify({ ...stepOf(c, algorithm), scalars: c.scalars })}`)
}

export function checkBits(c: OpCase, algorithm: string, what: string, a: Record<string, Values>, b: Record<string, Values>): void {
  for (const name of writtenBy(c)) {
    const at = firstOtherBit(a[name]!, b[name]!)
    if (at !== undefined) fail(c, algorithm, `${what}: ${name} differs at byte ${at}: ${a[name]![at >> 2]} and ${b[name]![at >> 2]}`)
  }
}

function checkValues(
  c: OpCase,
  algorithm: string,
  actual: Record<string, Values>,
  expected: Record<string, Float64Array>,
  exact: boolean,
): void {
  for (const name of writtenBy(c)) {
    const tolerance = exact ? 0 : toleranceOf(c, name, expected[name]!, algorithm)
    const difference = firstDifference(actual[name]!, expected[name]!, tolerance)
    if (difference) fail(c, algorithm, `${name}${difference}${exact ? ' (must be exact)' : ''}`)
  }
}

/** Whether a case tells anything: its result is defined everywhere, and the tolerance far below the size of one term. */
export function checkExpected(c: OpCase, expected: Record<string, Float64Array>): void {
  for (const [name, values] of Object.entries(expected)) {
    let largest = 0
    for (const value of values) {
      if (!Number.isFinite(value)) throw new Error(`${c.name}: ${name} is not finite`)
      largest = Math.max(largest, Math.abs(value))
    }
    const tolerance = toleranceOf(c, name, values)
    if (tolerance > 0.01 * Math.max(largest, 0.05)) throw new Error(`${c.name}: ${name} may be off by ${tolerance} of ${largest}`)
  }
}

/** Algorithms that the step could use, the default first; `['']` for ops that have but one. */
export function algorithmsOf(c: OpCase): string[] {
  const names = binding.algorithms(stepOf(c))
  return names.length > 0 ? names : ['']
}

/** Winograd's transforms divide by 3 and more: sums of whole numbers are rounded. */
export const isWinograd = (algorithm: string) => algorithm.startsWith('winograd')

/**
 * Compares every algorithm of the native core with the reference, on random reals and, where sums of small whole numbers are exact, on those;
 * at one, two and three threads; in place where the op allows it. Throws with the step as JSON.
 */
export function checkCase(c: OpCase, kind: 'listed' | 'property'): void {
  const facts = opFacts[c.op]!
  const isExact = facts.exactOnWholeNumbers?.(c) ?? false
  const sets = (isExact ? [false, true] : [false]).map((whole) => {
    const tensors = tensorsOf(c, whole)
    return { whole, tensors, expected: runReference(c, tensors) }
  })
  if (kind === 'listed') checkExpected(c, sets[0]!.expected)
  const algorithms = algorithmsOf(c)
  const [one, ...others] = withThreads(() =>
    algorithms.map((algorithm) => sets.map(({ tensors }) => runNative(binding, c, tensors, algorithm))),
  )
  count(kind, c.op)
  for (const [i, algorithm] of algorithms.entries()) {
    for (const [j, { whole, expected }] of sets.entries()) {
      for (const other of others) checkBits(c, algorithm, 'another number of threads', one![i]![j]!, other[i]![j]!)
      checkValues(c, algorithm, one![i]![j]!, expected, whole ? !isWinograd(algorithm) : facts.factor === 0)
    }
    const [result, { tensors }] = [one![i]![0]!, sets[0]!]
    for (const over of (facts.inPlace ?? []).filter((name) => String(c.shapes[name]) === String(c.shapes[facts.outputs[0]!])))
      checkBits(c, algorithm, `in place of ${over}`, result, runNative(binding, c, tensors, algorithm, over))
    if (i === 0) checkBits(c, 'auto', 'by default', result, runNative(binding, c, tensors, algorithm && 'auto'))
    if (algorithm !== '') count(kind, c.op, algorithm)
  }
}

/** The same step as part of a program with room for more rows gives the bits of the eager step. */
export async function checkProgram(c: OpCase): Promise<void> {
  const tensors = tensorsOf(c, false)
  for (const algorithm of algorithmsOf(c)) {
    const eager = runNative(binding, c, tensors, algorithm)
    for (const spare of readBy(c).length > 0 ? [0, 3] : [0])
      checkBits(
        c,
        algorithm,
        `in a program with room for ${spare} more rows`,
        eager,
        await runProgram(binding, c, tensors, algorithm, spare),
      )
  }
}
