import type { Binding, Operand, ProgramSpec, Step } from '../../binding'
import { sizeOf } from './compute'
import { operandOf, readBy, type Tensors, type Values, writtenBy } from './executeStep'
import type { OpCase } from './opCase'
import { dtypeOf, isBatched, opFacts } from './opFacts'

/** What an operand takes of its space, and a gap behind it: whoever writes there is reported by the sanitizer. */
const placeFor = (elements: number) => Math.ceil(elements / 16) * 16 + 16

/** A case's step as a program of this capacity. What is batched or of whole numbers comes in as inputs; other operands that are read are state, as weights are. */
function programOf(c: OpCase, algorithm: string, capacity: number) {
  const names = Object.keys(c.shapes)
  const updates = opFacts[c.op]!.updates ?? []
  const inputs = readBy(c).filter((name) => isBatched(c, name) || dtypeOf(c, name) !== 'float32')
  const stored = readBy(c).filter((name) => !inputs.includes(name))
  const offsets = { arena: 0, state: 0 }
  const place = (name: string): Operand => {
    const batched = isBatched(c, name)
    const operand = operandOf(c, name, { space: 'input', offset: inputs.indexOf(name), batched })
    const shape = batched ? [capacity, ...operand.shape.slice(1)] : operand.shape
    if (inputs.includes(name)) return { ...operand, shape }
    const space = stored.includes(name) ? 'state' : 'arena'
    const offset = offsets[space]
    offsets[space] += placeFor(sizeOf(shape))
    return { ...operand, space, offset, shape }
  }
  const operands = Object.fromEntries(names.map((name) => [name, place(name)]))
  const step: Step = { ...c.attributes, ...(algorithm && { algorithm }), ...operands, op: c.op }
  const spec: ProgramSpec = {
    capacity,
    arenaElements: offsets.arena,
    inputs: inputs.map((name) => ({ dtype: dtypeOf(c, name), shape: operands[name]!.shape, batched: isBatched(c, name) })),
    outputs: writtenBy(c)
      .filter((name) => !updates.includes(name))
      .map((name) => operands[name]!),
    steps: [step],
    lane: 'train',
    ...(updates.length > 0 && { updateFrom: 0 }),
  }
  return { spec, operands, inputs, stored, stateElements: offsets.state }
}

/** The batch size of a case, 1 where it has none, or no axes. */
export const batchOf = (c: OpCase): number => {
  const name = Object.keys(c.shapes).find((name) => isBatched(c, name))
  return (name === undefined ? undefined : c.shapes[name]![0]) ?? 1
}

/** A case's step as a program of this capacity, which runs with the first rows of the tensors. Results are outputs, or read from the state where the step updates it. */
export function openProgram(binding: Binding, c: OpCase, algorithm: string, capacity: number) {
  const { spec, operands, inputs, stored, stateElements } = programOf(c, algorithm, capacity)
  const updates = (opFacts[c.op]!.updates ?? []).filter((name) => c.shapes[name])
  const outputs = writtenBy(c).filter((name) => !updates.includes(name))
  const state = stateElements > 0 ? binding.createState(stateElements) : undefined
  const program = binding.createProgram(spec, state)
  return {
    async run(tensors: Tensors, n: number): Promise<Record<string, Values>> {
      for (const name of stored) await state!.write(operands[name]!.offset, tensors[name] as Float32Array)
      const results = await program.run({
        n,
        inputs: inputs.map((name) => ({ data: tensors[name]! })),
        ...(c.scalars && { scalars: c.scalars }),
      })
      const updated = updates.map(async (name) => [name, await state!.read(operands[name]!.offset, sizeOf(c.shapes[name]!))] as const)
      return Object.fromEntries([...outputs.map((name, i) => [name, results[i]!] as const), ...(await Promise.all(updated))])
    },
    /** Memory that the step needs beside its operands. */
    scratchBytes: program.arenaBytes - 4 * spec.arenaElements,
    dispose(): void {
      program.dispose()
      state?.dispose()
    },
  }
}

/** Runs a case's step as a program whose capacity is `spare` rows more than the case has. */
export async function runProgram(
  binding: Binding,
  c: OpCase,
  tensors: Tensors,
  algorithm: string,
  spare: number,
): Promise<Record<string, Values>> {
  const n = batchOf(c)
  const program = openProgram(binding, c, algorithm, n + spare)
  const results = await program.run(tensors, n)
  program.dispose()
  return results
}
