import type { Binding } from '../binding'
import type { PreparedProblem, Problem } from './problem'
import type { Row } from './row'

const ROUNDS = { least: 5, most: 200 }
/** The transforms of the largest tiles multiply by numbers of up to 21/4 and back. */
const WINOGRAD_SLACK = 64
const PROBE_SECONDS = 0.005

/**
 * One row per algorithm. Results are checked first; then the algorithms take turns, and before each turn a probe measures what the processor can do
 * at that moment, so that a slow phase of the machine meets all of them, and the probe.
 */
export function measure(binding: Binding, problem: Problem, seconds: number): Row[] {
  const threads = binding.threads()
  const prepared = problem.prepare()
  const contenders = algorithmsOf(binding, prepared).map(({ name, calls }) => ({
    name,
    run: () => {
      for (const { step, buffers } of calls) binding.execute(step, buffers)
    },
    times: [] as number[],
  }))
  for (const { name, run } of contenders) {
    clearOutputs(prepared)
    run()
    prepared.check(name.startsWith('winograd') ? WINOGRAD_SLACK : 1)
  }
  let peak = 0
  const end = performance.now() + 1000 * seconds * contenders.length
  for (let round = 0; round < ROUNDS.least || (round < ROUNDS.most && performance.now() < end); round++) {
    for (const { run, times } of contenders) {
      peak = Math.max(peak, binding.probeFma(PROBE_SECONDS, threads))
      const start = performance.now()
      run()
      times.push(performance.now() - start)
    }
  }
  return contenders.map(({ name, times }, i) => {
    const { min, median } = summarize(times)
    return {
      kind: problem.kind,
      peer: 'convlane',
      threads,
      item: problem.item,
      fmt: problem.fmt,
      pass: problem.pass,
      algo: name,
      min_ms: min,
      median_ms: median,
      reps: times.length,
      chosen: i === 0,
      isa: binding.isa(),
      ...(problem.flops > 0
        ? { gflops: problem.flops / min / 1e6, fma_peak_gflops: peak / 1e9 }
        : { gbytes_per_s: problem.bytes / min / 1e6 }),
    }
  })
}

/** The calls once per algorithm, the default first. A step that takes no algorithm is the same in all of them. */
function algorithmsOf(binding: Binding, { calls }: PreparedProblem): { name: string; calls: PreparedProblem['calls'] }[] {
  const main = calls.find(({ step }) => 'algorithm' in step)
  if (main === undefined) return [{ name: binding.algorithms(calls[0]!.step)[0] || 'default', calls }]
  const using = (name: string) => calls.map((call) => (call === main ? { ...call, step: { ...call.step, algorithm: name } } : call))
  return binding.algorithms(main.step).map((name) => ({ name, calls: using(name) }))
}

function clearOutputs({ outputs }: PreparedProblem): void {
  for (const output of outputs) output.fill(output instanceof Float32Array ? Number.NaN : -1)
}

export function summarize(times: readonly number[]): { min: number; median: number } {
  const sorted = [...times].sort((a, b) => a - b)
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]! }
}
