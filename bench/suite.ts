import { readFileSync } from 'node:fs'

export interface ConvShape {
  readonly id: string
  readonly N: number
  readonly C: number
  readonly H: number
  readonly W: number
  readonly OC: number
  readonly KH: number
  readonly KW: number
  readonly stride: number
  readonly pad: number
  readonly groups: number
}

export interface PoolShape {
  readonly id: string
  readonly N: number
  readonly C: number
  readonly H: number
  readonly W: number
  readonly K: number
  readonly stride: number
  readonly pad: number
}

export interface GemmShape {
  readonly id: string
  readonly M: number
  readonly N: number
  readonly K: number
}

/** Images that ops without much arithmetic are measured on. */
export interface MemoryShape {
  readonly id: string
  readonly shape: readonly number[]
}

export interface TrainItem {
  readonly id: string
  readonly batch: number
  readonly input: readonly [number, number, number]
}

/** What is measured: shapes of single ops, and whole networks by name. */
export interface Suite {
  readonly convs: readonly ConvShape[]
  readonly pools: readonly PoolShape[]
  /** Where the suite has no `memory`, the inputs of its pools. */
  readonly memory: readonly MemoryShape[]
  readonly gemms: readonly GemmShape[]
  readonly train: readonly TrainItem[]
}

/** A suite file that cannot be used; the message says where and why. */
export class SuiteError extends Error {}

const CONV = ['N', 'C', 'H', 'W', 'OC', 'KH', 'KW', 'stride', 'pad', 'groups'] as const
const POOL = ['N', 'C', 'H', 'W', 'K', 'stride', 'pad'] as const
const GEMM = ['M', 'N', 'K'] as const

/** Reads a suite: JSON as in bench/suite.json; a kind that is left out has no items. */
export function readSuite(file: string): Suite {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new SuiteError(`${file}: ${error instanceof SyntaxError ? `not JSON: ${error.message}` : (error as Error).message}`)
  }
  const reader = new SuiteReader(file)
  const top = reader.object(json, 'the suite')
  if (!['convs', 'pools', 'memory', 'gemms', 'train'].some((kind) => kind in top))
    reader.fail('the suite', 'convs, pools, memory, gemms or train', Object.keys(top))
  const convs = reader
    .list(top.convs, 'convs')
    .map((item, i) => reader.conv(item, `convs[${i}]`, reader.fields(top.conv_fields, CONV, 'conv_fields')))
  const pools = reader
    .list(top.pools, 'pools')
    .map((item, i) => reader.pool(item, `pools[${i}]`, reader.fields(top.pool_fields, POOL, 'pool_fields')))
  const gemms = reader
    .list(top.gemms, 'gemms')
    .map((item, i) => reader.gemm(item, `gemms[${i}]`, reader.fields(top.gemm_fields, GEMM, 'gemm_fields')))
  const memory = 'memory' in top ? reader.list(top.memory, 'memory').map((item, i) => reader.memory(item, `memory[${i}]`)) : inputsOf(pools)
  const train = reader.list(top.train, 'train').map((item, i) => reader.train(item, `train[${i}]`))
  return { convs, pools, memory, gemms, train }
}

function inputsOf(pools: readonly PoolShape[]): MemoryShape[] {
  const shapes = new Map(pools.map(({ N, C, H, W }) => [[N, H, W, C].join('x'), [N, H, W, C]]))
  return [...shapes].map(([id, shape]) => ({ id, shape }))
}

class SuiteReader {
  constructor(private readonly file: string) {}

  fail(where: string, expected: string, received: unknown): never {
    throw new SuiteError(`${this.file}: ${where}: expected ${expected}, received ${JSON.stringify(received) ?? 'nothing'}`)
  }

  object(value: unknown, where: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail(where, 'an object', value)
    return value as Record<string, unknown>
  }

  list(value: unknown, where: string): readonly unknown[] {
    if (value === undefined) return []
    if (!Array.isArray(value)) this.fail(where, 'an array', value)
    return value
  }

  /** The order in which a shape's numbers are listed, where the suite gives one of its own. */
  fields<F extends string>(value: unknown, names: readonly F[], where: string): readonly F[] {
    if (value === undefined) return names
    const given = this.list(value, where)
    if (given.length !== names.length || names.some((name) => !given.includes(name)))
      this.fail(where, `the names ${names.join(', ')}`, value)
    return given as readonly F[]
  }

  id(value: unknown, where: string): string {
    if (typeof value !== 'string' || value === '') this.fail(where, 'a name', value)
    return value
  }

  size(value: unknown, where: string, least = 1): number {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > 2 ** 31)
      this.fail(where, `an integer >= ${least}`, value)
    return value as number
  }

  sizes<F extends string>(value: unknown, where: string, fields: readonly F[]): Record<F, number> {
    const numbers = this.list(value, where)
    if (numbers.length !== fields.length) this.fail(where, `${fields.length} integers (${fields.join(', ')})`, value)
    return Object.fromEntries(fields.map((name, i) => [name, this.size(numbers[i], `${where}.${name}`, name === 'pad' ? 0 : 1)])) as Record<
      F,
      number
    >
  }

  conv(value: unknown, where: string, fields: readonly (typeof CONV)[number][]): ConvShape {
    const item = this.object(value, where)
    const shape = this.sizes(item.p, `${where}.p`, fields)
    if (shape.C % shape.groups !== 0 || shape.OC % shape.groups !== 0) this.fail(`${where}.p`, 'groups that divide C and OC', item.p)
    if (shape.KH > shape.H + 2 * shape.pad || shape.KW > shape.W + 2 * shape.pad)
      this.fail(`${where}.p`, 'a kernel within the padded input', item.p)
    return { id: this.id(item.id, `${where}.id`), ...shape }
  }

  pool(value: unknown, where: string, fields: readonly (typeof POOL)[number][]): PoolShape {
    const item = this.object(value, where)
    const shape = this.sizes(item.p, `${where}.p`, fields)
    if (shape.pad >= shape.K) this.fail(`${where}.p`, 'padding smaller than the window', item.p)
    if (shape.K > Math.min(shape.H, shape.W) + 2 * shape.pad) this.fail(`${where}.p`, 'a window within the padded input', item.p)
    return { id: this.id(item.id, `${where}.id`), ...shape }
  }

  memory(value: unknown, where: string): MemoryShape {
    const shape = this.list(value, where).map((size, i) => this.size(size, `${where}[${i}]`))
    if (shape.length === 0 || shape.length > 5) this.fail(where, 'one to five sizes, channels last', value)
    return { id: shape.join('x'), shape }
  }

  gemm(value: unknown, where: string, fields: readonly (typeof GEMM)[number][]): GemmShape {
    const shape = this.sizes(value, where, fields)
    return { id: `${shape.M}x${shape.N}x${shape.K}`, ...shape }
  }

  train(value: unknown, where: string): TrainItem {
    const item = this.object(value, where)
    const input = this.sizes(item.input, `${where}.input`, ['H', 'W', 'C'])
    return { id: this.id(item.id, `${where}.id`), batch: this.size(item.batch, `${where}.batch`), input: [input.H, input.W, input.C] }
  }
}
