import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const main = join(__dirname, '..', '..', 'dist', 'cli', 'main.js')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** A shell command that runs the program: `"$@"` in it stands for that. */
  readonly shell?: string
  /** Called with each piece of standard output. */
  readonly onOutput?: (text: string, child: ChildProcess) => void
  /** Called once the process is there. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs the built command `convlane`. */
export function convlane(argv: readonly string[], options: CliOptions): Promise<Finished> {
  if (!existsSync(main)) throw new Error('dist/cli/main.js is missing: npm run build')
  const program = [process.execPath, main, ...argv]
  const [file, ...args] = options.shell ? ['/bin/sh', '-c', options.shell, 'sh', ...program] : program
  const child = spawn(file!, args, { cwd: options.cwd, env: { ...process.env, ...options.env } })
  options.onStart?.(child)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
      if (name === 'stdout') options.onOutput?.(text, child)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...texts }))
  })
}
