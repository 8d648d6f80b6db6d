import type { Binding } from '../../binding'
import { loadNative } from '../../lib/native'
import { regression } from '../native/programs.cjs'
import { argumentsOf, decode, type Encoded } from './encoded'
import { fuzz } from './fuzz'
import { mutated } from './mutate'

const binding: Binding = loadNative()
const floats = (length: number): Encoded => ({ $: 'typed', type: 'Float32Array', length, offset: 0 })
/** Stands for the id of a state, which is another one each time. */
const SHARED = 'the shared state'
/** Usual arguments of each function, and of the methods of a state and a program of their own. */
const usual: Record<string, Encoded[]> = {
  isa: [],
  isaAvailable: [],
  kernelIsa: [],
  kernelInfo: [],
  cpuFeatures: [],
  threads: [],
  defaultThreads: [],
  memory: [],
  setThreads: [2],
  misalignment: [{ $: 'typed', type: 'Uint8Array', length: 64, offset: 3 }],
  probeFma: [1e-6, 1],
  probeTriad: [4096, 1, true],
  createState: [48],
  adoptState: [SHARED],
  createProgram: [regression(2).spec as unknown as Encoded],
  'state.read': [0, 4],
  'state.write': [4, floats(4)],
  'state.share': [],
  'state.dispose': [],
  'program.run': [{ n: 2, inputs: [{ data: floats(16) }, { data: floats(6) }], scalars: { learningRate: 0 } }],
  'program.profile': [true],
  'program.dispose': [],
}
const names = Object.keys(usual)
/** Receivers other than the right one: methods are JavaScript functions, and can be called on anything. */
const receivers = ['right', 'state', 'program', 'binding', 'undefined', 'number', 'prototype']
/** A probe runs as long as it is told, and a state may be as large as memory: what is meant and can be had isn't tried. */
const most: Record<string, number> = { probeFma: 0.001, probeTriad: 1 << 20, createState: 1 << 22 }
const isAffordable = (name: string, args: readonly unknown[]) =>
  most[name] === undefined || typeof args[0] !== 'number' || args[0] <= most[name] || args[0] > 2 ** 44

fuzz({
  name: 'functions',
  functions: names,
  least: 1000,
  generate: (random) => {
    const name = random.of(names)
    const receiver = random.next() < 0.9 ? 'right' : random.of(receivers)
    return {
      seed: random.whole(1, 1 << 30),
      name,
      receiver,
      args: mutated(usual[name]!, random, ['', 'x', 'train', SHARED, 'a'.repeat(32)]),
    }
  },
  async run(input, tally) {
    const { seed, name, receiver, args } = input as { seed: number; name: string; receiver: string; args: Encoded }
    const { value, intact } = decode(args, seed)
    const given = argumentsOf(value)
    if (!isAffordable(name, given)) return
    const shared = given.includes(SHARED) ? binding.createState(16) : undefined
    const list = given.map((argument) => (argument === SHARED ? shared!.share() : argument))
    const isAlone = receiver === 'right' && !name.includes('.') && name !== 'createProgram'
    const state = isAlone ? undefined : binding.createState(64)
    const program = isAlone ? undefined : binding.createProgram(regression(2).spec, state)
    const [on, method] = name.includes('.') ? (name.split('.') as [string, string]) : ['binding', name]
    const owners: Record<string, unknown> = { binding, state, program, number: 1, prototype: state && Object.getPrototypeOf(state) }
    const call = (owners[on] as Record<string, (...args: unknown[]) => unknown>)[method]!
    const made = tally.call(name, () => {
      if (name === 'createProgram' && list.length < 2) list.push(state)
      return Reflect.apply(call, receiver === 'right' ? owners[on] : owners[receiver], list)
    })
    await tally.settle(name, made)
    for (const each of [made, program, state, shared])
      if (typeof each === 'object' && each !== null && 'dispose' in each) (each as { dispose(): void }).dispose()
    if (name === 'setThreads') binding.setThreads(binding.defaultThreads())
    if (!intact()) throw new Error('wrote beyond an array')
  },
})
