import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { loadNative } from '../../lib/native'
import { Random } from '../support/random'
import { type Encoded, Thrown } from './encoded'

const root = join(__dirname, '../..')
const seconds = Number(process.env.CONVLANE_FUZZ_SECONDS ?? 10)
const seed = Number(process.env.CONVLANE_FUZZ_SEED ?? 1)
/** Whether inputs that come out as none before did are added to the corpus. */
const keeps = process.env.CONVLANE_FUZZ_KEEP === '1'
/** Longest text of a kept input. */
const KEPT = 2500
/** Seconds of all processors that one input may take: the machine may be busy, or the binary be instrumented. What waits for ever, scripts/fuzz.mjs ends. */
const SLOW = 30

/** What kind of refusal it is: the message from its first verb on, without names and numbers. */
function gist(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const said = /\b(must|has|have|is|are|belongs|cannot|there|takes?|ends?)\b.*/s.exec(message)?.[0] ?? ''
  return said.replace(/"[^"]*"|'[^']*'|[^a-z ]+|\b[a-z]+[A-Z]\w*/g, '').slice(0, 24)
}

/** How often each function was called and succeeded, or refused. */
export class Tally {
  /** What came out so far: function and code, with the message without its numbers and names. */
  readonly outcomes = new Set<string>()
  readonly succeeded = new Map<string, number>()
  readonly refused = new Map<string, number>()

  /** Counts a call. An error without a code is the caller's, who threw it in an accessor, or a failure. */
  call<T>(name: string, call: () => T): T | undefined {
    try {
      const result = call()
      if (!(result instanceof Promise)) this.#add(this.succeeded, name)
      return result
    } catch (error) {
      this.#refuse(name, error)
      return undefined
    }
  }

  /** The same for a promise, which counts when it settles. */
  async settle(name: string, promise: unknown): Promise<void> {
    if (!(promise instanceof Promise)) return
    try {
      await promise
      this.#add(this.succeeded, name)
    } catch (error) {
      this.#refuse(name, error)
    }
  }

  #add(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }

  #refuse(name: string, error: unknown): void {
    this.#add(this.refused, name)
    this.outcomes.add(`${name} ${gist(error)}`)
    if (error instanceof Thrown) return
    const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string'
    // What V8 itself throws for a revoked proxy, a symbol as a number or a stranger as `this` goes through as it is.
    const isEngines = error instanceof TypeError && /revoked|Symbol|BigInt|primitive|Illegal invocation/.test(error.message)
    if (!isCoded && !isEngines) throw new Error(`${name}: refused without a code: ${error}`, { cause: error })
  }
}

export interface Target {
  /** Names the test, the file of kept inputs (`corpus/<name>.json`) and the one with the last input. */
  readonly name: string
  /** What must have succeeded often, and how often: less in runs under 50 seconds. */
  readonly functions: readonly string[]
  readonly least: number
  /** Makes what `generate` needs. */
  prepare?(): Promise<void>
  /** A new input. */
  generate(random: Random): Encoded
  /** Tries it. Throws where the result isn't as it must be. */
  run(input: Encoded, tally: Tally): Promise<void> | void
  /** Looks now and then whether all is well still. */
  check?(): Promise<void>
  /** Frees what `check` has kept. */
  finish?(): void
}

const corpusFile = (name: string) => join(root, 'test/fuzz/corpus', `${name}.json`)

/** Inputs that are tried each time: those that came out in a way of their own, and any that ever failed. */
function corpus(name: string): Encoded[] {
  const file = corpusFile(name)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Encoded[]) : []
}

function writeCorpus(name: string, inputs: readonly Encoded[]): void {
  writeFileSync(corpusFile(name), `[\n${inputs.map((input) => JSON.stringify(input)).join(',\n')}\n]\n`)
}

function table(tally: Tally): string {
  const names = [...new Set([...tally.succeeded.keys(), ...tally.refused.keys()])].sort()
  return names.map((name) => `${name}: ${tally.succeeded.get(name) ?? 0} succeeded, ${tally.refused.get(name) ?? 0} refused`).join('\n')
}

async function isFreed(): Promise<boolean> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 200; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
    const { arenaBytes, stateBytes, stagingBytes } = loadNative().memory()
    if (arenaBytes + stateBytes + stagingBytes === 0) return true
  }
  return false
}

/**
 * Tries the inputs of the corpus, then new ones for the seconds that `CONVLANE_FUZZ_SECONDS` gives (10), from the seed `CONVLANE_FUZZ_SEED` (1). Each is written to
 * `build-fuzz/<name>.json` before it is tried: after a crash it is there. Fails when one hangs, gives an error without a code or something wrong, when a
 * function didn't succeed often enough, or native memory isn't free at the end.
 */
export function fuzz(target: Target): void {
  test(target.name, { timeout: (seconds * 10 + 300) * 1000 }, async () => {
    mkdirSync(join(root, 'build-fuzz'), { recursive: true })
    const lastFile = join(root, 'build-fuzz', `${target.name}.json`)
    const last = openSync(lastFile, 'w')
    const tally = new Tally()
    await target.prepare?.()
    const attempt = async (input: Encoded) => {
      const text = JSON.stringify(input)
      ftruncateSync(last)
      writeSync(last, text, 0)
      const start = process.cpuUsage()
      try {
        await target.run(input, tally)
      } catch (error) {
        const file = join(root, 'build-fuzz', `${target.name}-failed.json`)
        writeFileSync(file, text)
        throw new Error(`${error instanceof Error ? error.message : error}; the input is in ${file}`, { cause: error })
      }
      const { user, system } = process.cpuUsage(start)
      expect((user + system) / 1e6, `seconds for the input in ${lastFile}`).toBeLessThan(SLOW)
    }
    const kept = corpus(target.name)
    for (const input of kept) await attempt(input)
    const random = new Random(seed)
    const end = Date.now() + seconds * 1000
    const least = Math.min(target.least, (target.least * seconds) / 50)
    const missing = () => target.functions.filter((name) => (tally.succeeded.get(name) ?? 0) < least)
    let count = 0
    for (; Date.now() < end || (missing().length > 0 && Date.now() < end + seconds * 5000); count++) {
      const input = target.generate(random)
      const known = tally.outcomes.size
      await attempt(input)
      if (tally.outcomes.size > known && JSON.stringify(input).length <= KEPT) kept.push(input)
      if (count % 500 === 0) await target.check?.()
    }
    await target.check?.()
    target.finish?.()
    closeSync(last)
    if (keeps && kept.length > 0) writeCorpus(target.name, kept)
    process.stdout.write(`${target.name}: ${count} inputs from seed ${seed}\n${table(tally)}\n`)
    expect(missing(), `succeeded fewer than ${least} times`).toEqual([])
    expect(await isFreed(), 'native memory is free').toBe(true)
  })
}
