/**
 * What a driver and the bench tell each other: orders of one line of words, answers of one line of JSON. This is the driver's side for Node; driver.h is the
 * one for C++, pytorch/driver.py has its own.
 */
import { createInterface } from 'node:readline'

/** One way to do what was ordered. */
export interface Way {
  readonly fmt: string
  readonly algo: string
  run(): void | Promise<void>
  /** Elements of an output of the last run, in the order of convlane's layout. */
  sample(output: number, positions: readonly number[]): readonly number[]
  /** Instead of `run` after `run`: what each run of a turn of about so many milliseconds took. */
  turn?(milliseconds: number): Promise<number[]>
}

/** What a driver answers; one that cannot do what was ordered answers with an error and goes on. */
export type Answer = Partial<{
  version: string
  contenders: { fmt: string; algo: string }[]
  values: (number | null)[]
  times: number[]
  peak_rss_mb: number
  startup_ms: number
  error: string
}>

/** Runs for about so many milliseconds, at least twice unless a run takes 50; what each run took, by its own word where it returns a number. */
export async function takeTurn(run: () => number | void | Promise<void>, milliseconds: number): Promise<number[]> {
  const times: number[] = []
  const begin = performance.now()
  for (let start = begin; start - begin < milliseconds || (times.length < 2 && start - begin < 50); ) {
    const own = await run()
    const end = performance.now()
    times.push(own ?? end - start)
    start = end
  }
  return times
}

/** Obeys the orders of stdin until it ends. `open` prepares all ways to do what the rest of an order says; each is run once. */
export async function drive(version: string, open: (words: readonly string[]) => Promise<{ ways: Way[]; more?: Answer }>): Promise<void> {
  let ways: readonly Way[] = []
  const find = (index: string | undefined) => {
    const way = ways[Number(index)]
    if (way === undefined) throw new Error(`there is no contender ${index}`)
    return way
  }
  const obey = async ([verb, ...words]: readonly string[]): Promise<Answer> => {
    if (verb === 'open') {
      ways = []
      const opened = await open(words)
      ways = opened.ways
      return { contenders: ways.map(({ fmt, algo }) => ({ fmt, algo })), ...opened.more }
    }
    if (verb === 'sample') return { values: [...find(words[0]).sample(Number(words[1]), words.slice(2).map(Number))] }
    if (verb === 'run') {
      const way = find(words[0])
      const times = await (way.turn?.(Number(words[1])) ?? takeTurn(way.run, Number(words[1])))
      return { times, peak_rss_mb: process.resourceUsage().maxRSS / 1024 }
    }
    throw new Error(`unknown order: ${verb}`)
  }
  const answer = (json: Answer) => process.stdout.write(`${JSON.stringify(json)}\n`)
  answer({ version })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await obey(line.trim().split(/\s+/)))
    } catch (error) {
      answer({ error: (error as Error).message })
    }
  }
}
