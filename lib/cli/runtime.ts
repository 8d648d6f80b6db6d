import { isa, setThreads, threads } from '../machine'
import { runtimeName } from '../runtime/select'
import { type Command, choice, wholeNumber } from './arguments'

export const runtimeOptions = {
  threads: { value: 'N', about: 'threads that compute (default: the CPUs that this process may use)' },
  runtime: { value: 'native|reference', about: 'what executes it (default native); reference is plain TypeScript, slow' },
} as const

export interface Machine {
  readonly runtime: 'native' | 'reference'
  /** Instruction set; none on the reference runtime. */
  readonly isa: string
  readonly threads: number
}

/** Checks and applies `--threads` and `--runtime`. */
export function chooseMachine(command: Command, values: Readonly<Record<string, unknown>>): Machine {
  const count = wholeNumber(command, 'threads', values.threads, 1, 1024)
  const runtime = runtimeName(choice(command, 'runtime', values.runtime, ['native', 'reference']))
  if (runtime === 'reference') return { runtime, isa: 'none', threads: 1 }
  if (count !== undefined) setThreads(count)
  return { runtime, isa: isa(), threads: threads() }
}
