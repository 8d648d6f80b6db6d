import { afterAll, describe, expect, test } from 'vitest'
import type { Step } from '../../binding'
import { heavy, native, operand, regression } from './programs.cjs'

// biome-ignore lint/suspicious/noExplicitAny: these tests pass what the types forbid
const anyNative = native as any
const code = (...expected: string[]) => expect.objectContaining({ code: expect.stringMatching(new RegExp(`^(${expected.join('|')})$`)) })

class Mine extends Error {}
const throwing = new Proxy(
  {},
  {
    get() {
      throw new Mine()
    },
    ownKeys() {
      throw new Mine()
    },
  },
)
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()
const cyclic: unknown[] = []
cyclic.push(cyclic)
const sparse: unknown[] = []
sparse.length = 2 ** 32 - 1
const oddNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0.5, 0.5, 1e300, 2 ** 53, 2 ** 63, 5e-324]
const oddThings: unknown[] = [
  undefined,
  null,
  true,
  '',
  'x',
  '1',
  10n,
  Symbol('s'),
  () => 1,
  {},
  [],
  cyclic,
  sparse,
  [null],
  new Date(Number.NaN),
  /x/,
  new Map(),
  Object.create(null),
  new Float32Array(0),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  new Float64Array(4),
  { length: 3 },
  { valueOf: () => 3 },
  throwing,
  revoked,
  Promise.resolve(1),
]
const odd: unknown[] = [...oddNumbers, ...oddThings]

/** An error with a code, or one that user code threw; never anything else, and never success unless the value happens to be right. */
function refused(call: () => unknown, mayPass = false): void {
  let error: unknown
  try {
    call()
  } catch (thrown) {
    error = thrown
  }
  if (error === undefined) expect(mayPass).toBe(true)
  else if (!(error instanceof Mine) && !(error instanceof TypeError))
    expect(error).toEqual(code('INVALID_ARGUMENT', 'INVALID_STEP', 'INVALID_TENSOR', 'OUT_OF_MEMORY'))
}

const state = native.createState(48)
const sample = regression(4)
const program = native.createProgram(sample.spec, state)
const goodRun = () => ({ n: 4, inputs: [{ data: new Float32Array(32) }, { data: new Float32Array(12) }], scalars: { learningRate: 0 } })
afterAll(async () => {
  await program.run(goodRun()) // still whole
  program.dispose()
  state.dispose()
})

describe('odd arguments', () => {
  test('of every function are refused with a code', () => {
    for (const value of odd) {
      refused(() => anyNative.setThreads(value))
      refused(() => anyNative.createState(value), value === 2 ** 53)
      refused(() => anyNative.createProgram(value))
      refused(() => anyNative.createProgram(sample.spec, value))
      refused(() => anyNative.execute(value, []))
      refused(() => anyNative.execute({ op: 'relu' }, value))
      refused(() => anyNative.algorithms(value))
      refused(() => anyNative.misalignment(value))
      refused(() => anyNative.probeFma(value, 1), value === 5e-324 || value === 0.5)
      refused(() => anyNative.probeFma(0.001, value))
      refused(() => anyNative.probeTriad(value, 1))
      refused(() => anyNative.probeTriad(4096, value))
      refused(() => anyNative.probeTriad(4096, 1, value), value === undefined || value === true)
      refused(() => anyNative.createState(1).read(value, 1))
      refused(() => anyNative.createState(1).read(0, value))
      refused(() => anyNative.createState(1).write(value, new Float32Array(1)))
      refused(() => anyNative.createState(1).write(0, value), value !== revoked && value instanceof Float32Array)
      refused(() => anyNative.createProgram(sample.spec, state).run(value))
      refused(() => anyNative.createProgram(sample.spec, state).profile(value), value === true)
    }
  })

  test('missing altogether are refused too', () => {
    for (const name of ['setThreads', 'createState', 'createProgram', 'execute', 'algorithms', 'misalignment', 'probeFma', 'probeTriad'])
      refused(() => anyNative[name]())
    for (const name of ['read', 'write']) refused(() => anyNative.createState(1)[name]())
    for (const name of ['run', 'profile']) refused(() => anyNative.createProgram(sample.spec, state)[name]())
  })

  test('functions without arguments take any', () => {
    for (const name of ['isa', 'isaAvailable', 'kernelIsa', 'kernelInfo', 'cpuFeatures', 'threads', 'defaultThreads', 'memory']) {
      expect(anyNative[name](throwing, revoked)).toEqual(anyNative[name]())
    }
  })

  test('methods called on anything else, and constructors called directly, are refused', () => {
    const own = (object: object) => Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)))
    for (const [object, other] of [
      [state, program],
      [program, state],
    ] as const) {
      for (const [name, { value, get }] of own(object)) {
        if (name === 'constructor') continue
        for (const receiver of [undefined, null, {}, 1, other, Object.create(object), throwing]) {
          expect(() => Reflect.apply(value ?? get, receiver, [0, 1])).toThrow()
        }
      }
    }
    for (const object of [anyNative.createState(1), program]) {
      const Class = object.constructor
      expect(() => new Class(1)).toThrow(code('INVALID_ARGUMENT'))
      expect(() => Reflect.construct(Class, [], class extends Class {})).toThrow(code('INVALID_ARGUMENT'))
    }
  })
})

/** Every copy of `value` in which one property or item, at any depth, is another. */
function* variants(value: unknown, replacements: readonly unknown[]): Generator<[path: string, variant: unknown, replacement: unknown]> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key]
    const replaced = (item: unknown) => Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: item })
    for (const replacement of replacements) yield [key, replaced(replacement), replacement]
    for (const [path, variant, replacement] of variants(inner, replacements)) yield [`${key}.${path}`, replaced(variant), replacement]
  }
}

describe('odd values deep inside', () => {
  const replacements = [Number.NaN, -1, 0.5, 2 ** 40, 2 ** 53, 0, 17, undefined, null, 'x', {}, [], throwing, revoked, sparse, cyclic]

  test('of a program', () => {
    let count = 0
    for (const [, spec] of variants(sample.spec, replacements)) {
      refused(() => anyNative.createProgram(spec, state).dispose(), true)
      count++
    }
    expect(count).toBeGreaterThan(2000)
  })

  test('of a run', async () => {
    const runs: Promise<unknown>[] = []
    for (const [, options] of variants(goodRun(), replacements)) {
      refused(() => runs.push(program.run(options as ReturnType<typeof goodRun>)), true)
      await Promise.all(runs.splice(0))
    }
  })

  test('of a step', () => {
    const step = (sizes: readonly number[]): Step => ({
      op: 'conv2d',
      x: operand('buffer', 0, [1, 5, 5, 2]),
      w: operand('buffer', 1, [3, 3, 2, sizes[0]!]),
      bias: operand('buffer', 2, [sizes[0]!]),
      y: operand('buffer', 3, [1, 3, 3, sizes[0]!]),
      stride: [1, 1],
      padding: [[0, 0], [0, 0]], // biome-ignore format: as in the table
      dilation: [1, 1],
      groups: 1,
      activation: 'relu',
      algorithm: 'auto',
    })
    const buffers = () => [50, 54, 3, 27].map((length) => new Float32Array(length))
    native.execute(step([3]), buffers())
    expect(native.algorithms(step([3]))).toEqual(expect.arrayContaining(['im2col']))
    for (const [, variant] of variants(step([3]), replacements)) {
      refused(() => anyNative.execute(variant, buffers()), true)
      refused(() => anyNative.algorithms(variant), true)
    }
  })
})

type Resizable = ArrayBuffer & { resize(length: number): void }
const resizableBuffer = () => Reflect.construct(ArrayBuffer, [128, { maxByteLength: 256 }]) as Resizable

describe('typed arrays', () => {
  const run = (data: unknown, rows?: unknown) =>
    anyNative.createProgram(sample.spec, state).run({ ...goodRun(), inputs: [{ data, rows }, { data: new Float32Array(12) }] })
  const relu: Step = { op: 'relu', x: operand('buffer', 0, [16]), y: operand('buffer', 1, [16]) }
  const bad: Record<string, () => unknown> = {
    detached() {
      const array = new Float32Array(32)
      structuredClone(array, { transfer: [array.buffer] })
      return array
    },
    shared: () => new Float32Array(new SharedArrayBuffer(128)),
    resizable: () => new Float32Array(resizableBuffer()),
    'of another type': () => new Int32Array(32),
    'of doubles': () => new Float64Array(32),
    'of bytes': () => new Uint8Array(32),
    'too short': () => new Float32Array(31),
    empty: () => new Float32Array(0),
    'a plain array': () => Array.from({ length: 32 }, () => 0),
    'a buffer': () => new ArrayBuffer(128),
    'a DataView': () => new DataView(new ArrayBuffer(128)),
    'shrunk out of bounds'() {
      const buffer = resizableBuffer()
      const array = new Float32Array(buffer, 64)
      buffer.resize(4)
      return array
    },
  }

  test.each(Object.keys(bad))('that are %s are refused by run, write and execute', (name) => {
    expect(() => run(bad[name]!())).toThrow(code('INVALID_TENSOR'))
    if (name !== 'too short' && name !== 'empty') expect(() => state.write(0, bad[name]!() as Float32Array)).toThrow(code('INVALID_TENSOR'))
    expect(() => native.execute(relu, [bad[name]!() as Float32Array, new Float32Array(16)])).toThrow(code('INVALID_TENSOR'))
    expect(() => native.execute(relu, [new Float32Array(16), bad[name]!() as Float32Array])).toThrow(code('INVALID_TENSOR'))
  })

  test('that become bad while arguments are read are refused', () => {
    const data = new Float32Array(32)
    const later = {
      get data() {
        structuredClone(data, { transfer: [data.buffer] })
        return new Float32Array(12)
      },
    }
    expect(() => anyNative.createProgram(sample.spec, state).run({ ...goodRun(), inputs: [{ data }, later] })).toThrow(
      code('INVALID_TENSOR'),
    )
    const values = new Float32Array(16)
    const buffers = [values, new Float32Array(16)]
    const step = {
      ...relu,
      get late() {
        structuredClone(values, { transfer: [values.buffer] })
        return 1
      },
    }
    expect(() => native.execute(step, buffers)).toThrow(code('INVALID_TENSOR'))
  })

  test('a program disposed while its arguments are read is DISPOSED', () => {
    const own = native.createProgram(sample.spec, state)
    const options = {
      ...goodRun(),
      get scalars() {
        own.dispose()
        return { learningRate: 1 }
      },
    }
    expect(() => own.run(options)).toThrow(code('DISPOSED'))
  })

  test('rows out of range by one, of another type or number are refused', () => {
    const data = new Float32Array(5 * 8)
    for (const rows of [
      [0, 1, 2, 5],
      [0, 1, 2, -1],
      [0, 1, 2],
      [0, 1, 2, 3, 4],
      [2 ** 31 - 1, 0, 0, 0],
      [-(2 ** 31), 0, 0, 0],
    ]) {
      expect(() => run(data, Int32Array.from(rows))).toThrow(code('INVALID_TENSOR'))
    }
    for (const rows of [Float32Array.of(0, 1, 2, 3), [0, 1, 2, 3], null, new Int32Array(new SharedArrayBuffer(16))]) {
      expect(() => run(data, rows)).toThrow(code('INVALID_TENSOR'))
    }
  })

  test('that are views of the same memory are refused where one is written', () => {
    const memory = new Float32Array(64)
    expect(() =>
      native.execute({ op: 'relu', x: operand('buffer', 0, [16]), y: operand('buffer', 1, [16]) }, [
        memory.subarray(0, 16),
        memory.subarray(8, 24),
      ]),
    ).toThrow(code('INVALID_TENSOR'))
    const same = memory.subarray(0, 16).fill(-1)
    native.execute(relu, [same, new Float32Array(memory.buffer, 0, 16)])
    expect(same.every((x) => x === 0)).toBe(true)
    native.execute(relu, [memory.subarray(0, 16), memory.subarray(16, 32)])
  })
})

describe('scalars', () => {
  test('that a step needs must be there and finite', () => {
    for (const scalars of [
      undefined,
      {},
      { learningRate: Number.NaN },
      { learningRate: '1' },
      { learningRate: Number.POSITIVE_INFINITY },
      null,
      [],
    ]) {
      expect(() => anyNative.createProgram(sample.spec, state).run({ ...goodRun(), scalars })).toThrow(code('INVALID_ARGUMENT'))
    }
  })

  test('of odd size do no harm', () => {
    const step: Step = { op: 'dropout', x: operand('buffer', 0, [64]), y: operand('buffer', 1, [64]), rate: 0.5, stream: 1 }
    for (const seed of [...oddNumbers, 0, 2 ** 64]) {
      for (const count of [1, ...oddNumbers]) {
        refused(() => native.execute(step, [new Float32Array(64), new Float32Array(64)], { seed, step: count }), true)
      }
    }
  })
})

test('the state of large and small programs is separate', () => {
  const { spec, stateElements } = heavy(1, { update: true })
  const small = native.createState(stateElements - 16)
  expect(() => native.createProgram(spec, small)).toThrow(code('INVALID_STEP'))
  small.dispose()
})
