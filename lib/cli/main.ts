#!/usr/bin/env node
import { ConvlaneError } from '../errors'
import { version } from '../version'
import { type Command, nearestOf, UsageError } from './arguments'
import { build, buildCommand } from './build'
import { convert, convertCommand } from './convert'
import { evaluate, evaluateCommand } from './evaluate'
import { info, infoCommand } from './info'
import { predict, predictCommand } from './predict'
import { report, reportCommand } from './report'
import { train, trainCommand } from './train'

const commands: Readonly<Record<string, { readonly about: Command; readonly run: (argv: readonly string[]) => Promise<number> }>> = {
  train: { about: trainCommand, run: train },
  evaluate: { about: evaluateCommand, run: evaluate },
  predict: { about: predictCommand, run: predict },
  report: { about: reportCommand, run: report },
  convert: { about: convertCommand, run: convert },
  info: { about: infoCommand, run: info },
  build: { about: buildCommand, run: build },
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(9)} ${about.about.split('\n')[0]}`)
  return `convlane COMMAND [options]

${lines.join('\n')}

convlane COMMAND --help tells the options; convlane --version the version.
Exit codes: 0 done, 1 failed, 2 not understood, 130 stopped by Ctrl-C (after saving), 143 by a termination signal (after saving).
With CONVLANE_DEBUG=1 errors come with their stack.
`
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    ;(name === undefined ? process.stderr : process.stdout).write(help())
    return name === undefined ? 2 : 0
  }
  if (!Object.hasOwn(commands, name)) {
    const nearest = nearestOf(name, Object.keys(commands))
    throw new UsageError(`unknown command "${name}"${nearest ? `, did you mean ${nearest}?` : ''} (see convlane --help)`)
  }
  return commands[name]!.run(rest)
}

/** Says what went wrong, in one line where it is the user's to mend; gives the exit code. */
function fail(error: unknown): number {
  const isExpected = error instanceof ConvlaneError || error instanceof UsageError
  const code = error instanceof ConvlaneError ? ` (${error.code})` : ''
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`convlane: ${isExpected ? message : `internal error: ${message}`}${code}\n`)
  if (process.env.CONVLANE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return error instanceof UsageError ? 2 : 1
}

// A reader that goes away, as `head` does, is no reason to stop training.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

main(process.argv.slice(2))
  .catch(fail)
  .then((code) => {
    process.exitCode = code
  })
