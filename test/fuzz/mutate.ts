import type { Random } from '../support/random'
import { accessorNames, type Encoded, specialNames } from './encoded'

type Path = readonly (string | number)[]
type Tree = { readonly [key: string]: Encoded }

// biome-ignore format: a table
const numbers: readonly Encoded[] = [
  0, -1, 1, 2, 3, 15, 16, 17, 64, 255, 1023, 65535, 65536, 0.5, -0.5, 1e-9, 1e300, 5e-324,
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64],
  ...['NaN', 'Infinity', '-Infinity', '-0'].map((text) => ({ $: 'number', text })),
]

function* paths(tree: Encoded, at: Path = []): Generator<Path> {
  if (at.length > 0) yield at
  if (typeof tree !== 'object' || tree === null) return
  for (const key of Object.keys(tree)) yield* paths((tree as Tree)[key]!, [...at, Array.isArray(tree) ? Number(key) : key])
}

const get = (tree: Encoded, path: Path): Encoded => path.reduce<Encoded>((value, key) => (value as Tree)[key as string]!, tree)

/** The tree with another value at the path, or with nothing there. */
function change(tree: Encoded, [key, ...rest]: Path, value: Encoded | undefined): Encoded {
  if (key === undefined) return value ?? null
  const copy: Record<string, Encoded> | Encoded[] = Array.isArray(tree) ? [...tree] : { ...(tree as Tree) }
  const old = (tree as Tree)[key as string]
  if (rest.length > 0) (copy as Record<string, Encoded>)[key as string] = change(old!, rest, value)
  else if (value !== undefined) (copy as Record<string, Encoded>)[key as string] = value
  else if (Array.isArray(copy)) copy.splice(key as number, 1)
  else delete copy[key as string]
  return copy
}

function otherNumber(value: number, random: Random): Encoded {
  return random.of<() => Encoded>([
    () => value + 1,
    () => value - 1,
    () => value * 2,
    () => Math.floor(value / 2),
    () => value + 16,
    () => -value,
    () => random.of(numbers),
  ])()
}

/** Something else in the place of a value; `words` are texts that mean something somewhere. */
function otherValue(value: Encoded, random: Random, words: readonly string[]): Encoded {
  const kind = random.next()
  if (kind < 0.08) return { $: random.of(specialNames) }
  if (kind < 0.12) return { $: random.of(accessorNames), a: value, b: random.of(numbers) }
  if (kind < 0.16)
    return { $: 'typed', type: random.of(['Float32Array', 'Float64Array', 'Int32Array', 'Uint8Array']), length: random.whole(0, 40) }
  if (kind < 0.22) return random.of<Encoded>([...numbers, null, true, false, '', [], {}])
  if (typeof value === 'number') return otherNumber(value, random)
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return random.of(words)
  if (Array.isArray(value)) {
    return random.of<() => Encoded>([
      () => [],
      () => value.slice(1),
      () => [...value, value[0] ?? 1],
      () => [...value].reverse(),
      () => Array.from({ length: 70 }, () => value[0] ?? 1),
      () => [value],
    ])()
  }
  if (value !== null && '$' in (value as Tree) && (value as Tree).$ === 'typed') {
    const array = value as Tree
    return random.of<() => Encoded>([
      () => ({ ...array, length: Math.max(0, Number(array.length) + random.of([-1, 1, -16, 16])) }),
      () => ({ ...array, offset: random.whole(0, 20) }),
      () => ({ ...array, memory: random.of(['shared', 'resizable', 'detached']) }),
      () => ({ ...array, type: random.of(['Float32Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'Uint8Array', 'Int16Array']) }),
    ])()
  }
  return random.of(numbers)
}

/** One random change somewhere in the tree: another value, one less, or what stands elsewhere. */
export function mutate(tree: Encoded, random: Random, words: readonly string[]): Encoded {
  const all = [...paths(tree)]
  if (all.length === 0) return otherValue(tree, random, words)
  const path = random.of(all)
  const kind = random.next()
  if (kind < 0.1) return change(tree, path, undefined)
  if (kind < 0.2) return change(tree, path, get(tree, random.of(all)))
  return change(tree, path, otherValue(get(tree, path), random, words))
}

/** None to four changes: a third of the inputs stays as it is, to reach what lies behind the checks. */
export function mutated(tree: Encoded, random: Random, words: readonly string[]): Encoded {
  let result = tree
  if (random.next() < 1 / 3) return result
  for (let left = random.whole(1, 4); left > 0; left--) result = mutate(result, random, words)
  return result
}
