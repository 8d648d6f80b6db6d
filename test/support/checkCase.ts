import type { Binding } from '../../binding'
import { loadNative } from '../../lib/native'
import { count } from './counts'
import { readBy, runNative, stepOf, tensorsOf, type Values, writtenBy } from './executeStep'
import { expectedOf } from './expected'
import { type Place, runBetweenPages } from './guardPages'
import type { OpCase } from './opCase'
import { opFacts } from './opFacts'
import { runProgram } from './runProgram'
import { firstDifference, firstOtherBit, toleranceOf } from './tolerance'

export const binding: Binding = loadNative()

/** Where emulators cannot set so much address space aside (`test:core`), arrays have guard zones only. */
const HAS_PAGES = process.env.CONVLANE_GUARD_PAGES !== '0'

/**
 * Runs at one thread, in arrays with guard zones, then at two and at three, between pages that nobody may touch: what a kernel reads or writes beyond an
 * operand's beginning or end stops the process there. The pool has as many threads as the machine gives it afterwards.
 */
function withThreads(run: (place: Place | undefined, threads: number) => void): void {
  try {
    for (const [place, threads] of [
      [undefined, 1],
      ['beginning', 2],
      ['end', 3],
    ] as const) {
      // biome-ignore format: one line
      binding.setThreads(threads)
      run(HAS_PAGES ? place : undefined, threads)
    }
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

type Results = Record<string, Values>

/**
 * Compares every algorithm of the native core with the reference, on random reals and, where sums of small whole numbers are exact, on those;
 * at one, two and three threads, the latter with guard pages; in place where the op allows it. Throws with the step as JSON. Gives what each algorithm
 * made of the reals.
 */
export function checkCase(c: OpCase, kind: 'listed' | 'property'): Map<string, Results> {
  const facts = opFacts[c.op]!
  const isExact = facts.exactOnWholeNumbers?.(c) ?? false
  const algorithms = algorithmsOf(c)
  const sets = (isExact ? [false, true] : [false]).map((whole) => ({
    whole,
    tensors: tensorsOf(c, whole),
    found: new Map<string, Results>(),
  }))
  withThreads((place, threads) => {
    for (const { tensors, found } of sets)
      for (const algorithm of algorithms) {
        const result = place ? runBetweenPages(binding, c, tensors, algorithm, place) : runNative(binding, c, tensors, algorithm)
        const first = found.get(algorithm)
        if (first) checkBits(c, algorithm, `at ${threads} threads instead of one`, first, result)
        else found.set(algorithm, result)
      }
  })
  for (const { whole, tensors, found } of sets) {
    const expected = expectedOf(c, tensors)
    if (kind === 'listed' && !whole) checkExpected(c, expected)
    for (const [algorithm, result] of found)
      checkValues(c, algorithm, result, expected, whole ? !isWinograd(algorithm) : facts.factor === 0)
  }
  count(kind, c.op)
  const { tensors, found } = sets[0]!
  for (const [i, algorithm] of algorithms.entries()) {
    const result = found.get(algorithm)!
    for (const over of (facts.inPlace ?? []).filter((name) => String(c.shapes[name]) === String(c.shapes[facts.outputs[0]!])))
      checkBits(c, algorithm, `in place of ${over}`, result, runNative(binding, c, tensors, algorithm, over))
    if (i === 0) checkBits(c, 'auto', 'by default', result, runNative(binding, c, tensors, algorithm && 'auto'))
    if (algorithm !== '') count(kind, c.op, algorithm)
  }
  return found
}

/** The same step as part of a program with room for more rows gives the bits of the eager step. */
export async function checkProgram(c: OpCase, eager?: ReadonlyMap<string, Results>): Promise<void> {
  const tensors = tensorsOf(c, false)
  for (const algorithm of algorithmsOf(c)) {
    const expected = eager?.get(algorithm) ?? runNative(binding, c, tensors, algorithm)
    for (const spare of readBy(c).length > 0 ? [0, 3] : [0])
      checkBits(
        c,
        algorithm,
        `in a program with room for ${spare} more rows`,
        expected,
        await runProgram(binding, c, tensors, algorithm, spare),
      )
  }
}
