/**
 * Runs the modules of a folder, one after the other in this process, each in a working folder of its own, and writes a line of JSON for each to
 * standard output: { name, printed, error }. `node runExamples.mjs FOLDER`
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, inspect, isDeepStrictEqual } from 'node:util'

/** A number as written, with so many decimals: any number that rounds to it. */
class Rounded {
  constructor(text) {
    const [, , fraction = '', exponent = '0'] = /^-?(\d+)\.?(\d*)(?:e([+-]?\d+))?$/.exec(text)
    this.value = Number(text)
    this.tolerance = fraction === '' && exponent === '0' ? 0 : 0.5000001 * 10 ** (Number(exponent) - fraction.length)
  }
}

/** The value that a comment says; its numbers are {@link Rounded}. */
function parse(text) {
  const code = text.replace(/'[^']*'|"[^"]*"|`[^`]*`|[A-Za-z_$][\w$]*|-?\d+(\.\d+)?(e[+-]?\d+)?/g, (token) =>
    /^-?\d/.test(token) ? `new Rounded('${token}')` : token,
  )
  return new Function('Rounded', `return (${code})`)(Rounded)
}

/** Whether a value is what was said: numbers as rounded, typed arrays as arrays. */
function isSame(value, said) {
  if (said instanceof Rounded) return typeof value === 'number' && Math.abs(value - said.value) <= said.tolerance
  const list = ArrayBuffer.isView(value) ? [...value] : value
  if (Array.isArray(said)) return Array.isArray(list) && list.length === said.length && said.every((one, i) => isSame(list[i], one))
  if (typeof said !== 'object' || said === null) return isDeepStrictEqual(value, said)
  if (typeof value !== 'object' || value === null) return false
  const names = Object.keys(said)
  return names.length === Object.keys(value).length && names.every((name) => isSame(value[name], said[name]))
}

const shown = (value) => inspect(value, { depth: null, maxArrayLength: null, breakLength: Number.POSITIVE_INFINITY })

globalThis.__example = {
  value(value, text, line) {
    if (!isSame(value, parse(text))) throw new Error(`line ${line}: said to be ${text}, but is ${shown(value)}`)
    return value
  },
  async throws(run, code, line) {
    const error = await run().then(() => undefined, (reason) => reason) // biome-ignore format: one line
    if (error?.code !== code) throw new Error(`line ${line}: said to throw ${code}, but gave ${error ? error.stack : 'a result'}`)
  },
}

const folder = resolve(process.argv[2])
const { setThreads, threads } = await import(pathToFileURL(join(folder, 'threads.mjs')).href)
const count = threads()
let printed = []
console.log = console.error = console.table = (...values) => printed.push(format(...values))

for (const name of readdirSync(folder).filter((file) => file.startsWith('example'))) {
  printed = []
  const place = join(folder, 'in', name)
  mkdirSync(place, { recursive: true })
  process.chdir(place)
  let error = null
  try {
    await import(pathToFileURL(join(folder, name)).href)
  } catch (reason) {
    error = reason instanceof Error ? reason.stack : shown(reason)
  }
  setThreads(count)
  process.stdout.write(`${JSON.stringify({ name, printed: printed.join('\n'), error })}\n`)
}
process.exit()
