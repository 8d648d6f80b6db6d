import { existsSync, readFileSync } from 'node:fs'
import { percent } from '#lib/cli/progress'

/** A network that was trained to the end: the form of the results file. */
export interface ZooResult {
  readonly network: string
  readonly data: string
  /** Options of the command line beyond data, model and files: another run has others. */
  readonly options: readonly string[]
  readonly parameters: number
  readonly epochs: number
  /** Of training, without reading data and measuring. */
  readonly seconds: number
  readonly imagesPerSecond: number
  readonly testAccuracy: number
  readonly isa: string
  readonly threads: number
}

/** What is in the results file; nothing where there is none. Throws an error that names the file. */
export function readResults(file: string): ZooResult[] {
  if (!existsSync(file)) return []
  try {
    const results: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (Array.isArray(results) && results.every((result) => typeof result?.network === 'string' && Array.isArray(result.options))) {
      return results
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Error(`${file}: not a results file of this bench; name another with --results`)
}

/** The result of the same network on the same data with the same options. */
export function finishedOf(
  results: readonly ZooResult[],
  { network, data, options }: Pick<ZooResult, 'network' | 'data' | 'options'>,
): ZooResult | undefined {
  return results.find((result) => result.network === network && result.data === data && result.options.join(' ') === options.join(' '))
}

/** `5025` seconds → `1 h 24 min`, `84` → `1 min 24 s`. */
function timeText(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${seconds.toFixed(1)} s`
}

/** The results as a table in Markdown. */
export function markdownTable(results: readonly ZooResult[]): string {
  const number = (value: number) => Math.round(value).toLocaleString('en')
  const rows = results.map(({ network, data, parameters, epochs, seconds, imagesPerSecond, testAccuracy }) =>
    [network, data, number(parameters), epochs, timeText(seconds), number(imagesPerSecond), percent(testAccuracy)].join(' | '),
  )
  return [
    '| network | data | parameters | epochs | time | images/s | test accuracy |',
    '|---|---|---:|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n')
}
