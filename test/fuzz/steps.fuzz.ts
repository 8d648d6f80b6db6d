import { loadNative } from '../../lib/native'
import { allCases } from '../support/cases'
import { sizeOf } from '../support/compute'
import { stepOf } from '../support/executeStep'
import type { OpCase } from '../support/opCase'
import { dtypeOf } from '../support/opFacts'
import { argumentsOf, decode, type Encoded } from './encoded'
import { fuzz } from './fuzz'
import { mutated } from './mutate'
import { wordsOf } from './words'

const binding = loadNative()
const ELEMENTS = 1 << 15
const elements = ({ shapes }: OpCase) => Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0)
const cases = allCases(binding.kernelInfo()).filter((c) => elements(c) <= ELEMENTS)
const ops = [...new Set(cases.map(({ op }) => op))]
const byOp = new Map(ops.map((op) => [op, cases.filter((c) => c.op === op)]))
const arrayOf = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' } as const
const words = wordsOf(cases)

fuzz({
  name: 'steps',
  functions: ['execute', 'algorithms'],
  least: 1000,
  generate(random) {
    const c = random.of(byOp.get(random.of(ops))!)
    const algorithms = binding.algorithms(stepOf(c))
    const step = stepOf(c, algorithms.length > 0 ? random.of(algorithms) : undefined) as unknown as Encoded
    const buffers = Object.keys(c.shapes).map((name) => ({
      $: 'typed',
      type: arrayOf[dtypeOf(c, name)],
      length: sizeOf(c.shapes[name]!),
      offset: random.whole(0, 16),
    }))
    return { seed: random.whole(1, 1 << 30), threads: random.whole(1, 3), call: mutated([step, buffers, { ...c.scalars }], random, words) }
  },
  run(input, tally) {
    const { seed, threads, call } = input as { seed: number; threads: number; call: Encoded }
    const { value, intact } = decode(call, seed)
    const [step, buffers, scalars] = argumentsOf(value) as Parameters<typeof binding.execute>
    binding.setThreads(threads)
    tally.call('algorithms', () => binding.algorithms(step))
    tally.call('execute', () => binding.execute(step, buffers, scalars))
    if (!intact()) throw new Error('wrote beyond an operand')
  },
})
