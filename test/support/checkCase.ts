import type { Binding } from '../../binding'
import { loadNative } from '../../lib/native'
import { count } from './counts'
import { readBy, runNative, runReference, stepOf, type Tensors, tensorsOf, type Values, writtenBy } from './executeStep'
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

function checkBits(c: OpCase, algorithm: string, what: string, a: Record<string, Values>, b: Record<string, Values>): void {
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

/** One algorithm on one set of values: the same bits at every number of threads, and the reference's values. */
function checkAlgorithm(c: OpCase, algorithm: string, tensors: Tensors, expected: Record<string, Float64Array>, exact: boolean) {
  const [first, ...others] = withThreads(() => runNative(binding, c, tensors, algorithm))
  for (const other of others) checkBits(c, algorithm, 'another number of threads', first!, other)
  checkValues(c, algorithm, first!, expected, exact)
  return first!
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
  const reals = tensorsOf(c, false)
  const wholes = isExact ? tensorsOf(c, true) : undefined
  const expected = runReference(c, reals)
  const expectedWholes = wholes && runReference(c, wholes)
  const algorithms = algorithmsOf(c)
  count(kind, c.op)
  for (const algorithm of algorithms) {
    const result = checkAlgorithm(c, algorithm, reals, expected, facts.factor === 0)
    if (wholes) checkAlgorithm(c, algorithm, wholes, expectedWholes!, !isWinograd(algorithm))
    for (const over of (facts.inPlace ?? []).filter((name) => String(c.shapes[name]) === String(c.shapes[facts.outputs[0]!])))
      checkBits(c, algorithm, `in place of ${over}`, result, runNative(binding, c, reals, algorithm, over))
    if (algorithm === algorithms[0]) checkBits(c, 'auto', 'by default', result, runNative(binding, c, reals, algorithm && 'auto'))
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
