/**
 * Trains the networks of the zoo on MNIST, and ResNet-20 on CIFAR-10, with the command `convlane train`, and prints what came out as a table. A network that
 * is in the results file already is not trained again; one that was interrupted goes on from its checkpoint. `npm run bench:zoo -- --mnist DIR`
 */
import { spawn } from 'node:child_process'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { networks } from '#lib/cli/networks'
import { finishedOf, markdownTable, readResults, type ZooResult } from './zoo-results'

/** What the paper of ResNet does to images of CIFAR-10. */
const CIFAR_AUGMENT = 'crop=4,flip'

const USAGE = `npm run bench:zoo -- --mnist DIR [--cifar DIR] [--network NAME]... [--augment LIST] [--epochs N] [--cifar-epochs N] [--threads N] [--results FILE]

  --mnist         folder with MNIST's four IDX files: every network is trained on it
  --cifar         folder with CIFAR-10's binary batches, or some of them: resnet20 is trained on it, with --augment ${CIFAR_AUGMENT}
  --network       only this one; may be given several times. There are ${Object.keys(networks).join(', ')}
  --augment       for MNIST, as convlane train takes it (default: nothing)
  --epochs        on MNIST (default: as convlane train has it for each network)
  --cifar-epochs  on CIFAR-10
  --threads       threads that compute (default: the CPUs that this process may use)
  --results       where results are kept, and taken from (default zoo-results.json); checkpoints lie beside it`

class UsageError extends Error {}

/** One network on one data set. */
interface Run {
  readonly network: string
  readonly data: string
  readonly dir: string
  /** What decides the result, as `convlane train` takes it. */
  readonly options: readonly string[]
}

interface Options {
  readonly runs: readonly Run[]
  readonly results: string
}

function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const
  const several = { type: 'string', multiple: true } as const
  const options = {
    mnist: text,
    cifar: text,
    network: several,
    augment: text,
    epochs: text,
    'cifar-epochs': text,
    threads: text,
    results: text,
  }
  const parse = () => {
    try {
      return parseArgs({ args, options }).values
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }
  const values = parse()
  const chosen = values.network ?? Object.keys(networks)
  for (const name of chosen) if (!(name in networks)) throw new UsageError(`--network: there is no ${name}`)
  const given = (name: 'epochs' | 'cifar-epochs' | 'threads') => {
    if (values[name] === undefined) return []
    if (!/^[1-9]\d*$/.test(values[name])) throw new UsageError(`--${name}: expected a whole number of at least 1, received ${values[name]}`)
    return [name === 'threads' ? '--threads' : '--epochs', values[name]]
  }
  const { mnist, cifar, augment } = values
  const changes = augment === undefined ? [] : ['--augment', augment]
  const runs: Run[] = [
    ...(mnist
      ? chosen.map((network) => ({ network, data: 'MNIST', dir: mnist, options: [...changes, ...given('epochs'), ...given('threads')] }))
      : []),
    ...(cifar && chosen.includes('resnet20')
      ? [
          {
            network: 'resnet20',
            data: 'CIFAR-10',
            dir: cifar,
            options: ['--augment', CIFAR_AUGMENT, ...given('cifar-epochs'), ...given('threads')],
          },
        ]
      : []),
  ]
  if (runs.length === 0) throw new UsageError('nothing to train: name --mnist DIR, or --cifar DIR for resnet20')
  return { runs, results: resolve(values.results ?? 'zoo-results.json') }
}

/** Trains, showing progress; nothing when it was stopped, with the exit code of the command. */
function train({ network, data, dir, options }: Run, results: string): Promise<{ result?: ZooResult; code: number }> {
  // A checkpoint is of use to a run with the same options alone.
  const name = [data.toLowerCase(), network, ...options].join('-').replace(/[^a-z0-9]+/gi, '-')
  const [checkpoint, model] = [`${results}.${name}.checkpoint`, `${results}.${name}.safetensors`]
  const files = ['--checkpoint', checkpoint, '--resume', '--out', model]
  const command = [
    join(__dirname, '..', 'dist', 'cli', 'main.js'),
    'train',
    '--data',
    dir,
    '--model',
    network,
    ...options,
    ...files,
    '--json',
  ]
  // Not a terminal for the command: it writes lines.
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr.pipe(process.stderr, { end: false })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (exitCode) => {
      const code = exitCode ?? 1
      if (code !== 0) return done({ code })
      const { params, epochs, seconds, imagesPerSecond, testAccuracy, isa, threads } = JSON.parse(said)
      for (const file of [checkpoint, model]) rmSync(file, { force: true })
      done({ code, result: { network, data, options, parameters: params, epochs, seconds, imagesPerSecond, testAccuracy, isa, threads } })
    })
  })
}

/** Written beside, then renamed: an interruption leaves the old file or the new one. */
function keep(results: readonly ZooResult[], file: string): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(results, undefined, 2)}\n`)
  renameSync(`${file}.new`, file)
}

async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const { runs, results: file } = readOptions(args)
  const all = readResults(file)
  const shown: ZooResult[] = []
  let exitCode = 0
  // The command that is under way gets the signal too, saves a checkpoint and ends; then this ends.
  process.on('SIGINT', () => {})
  for (const [index, run] of runs.entries()) {
    const title = `${run.network} on ${run.data} (${index + 1} of ${runs.length})`
    const before = finishedOf(all, run)
    process.stderr.write(`\n== ${title}${before ? ': finished before' : ''}\n`)
    const { result, code } = before ? { result: before, code: 0 } : await train(run, file)
    if (result) shown.push(result)
    if (result && !before) {
      all.push(result)
      keep(all, file)
    }
    if (code === 0) continue
    exitCode = code
    if (code === 130 || code === 143) break
  }
  if (shown.length > 0) {
    const [{ isa, threads }] = shown as [ZooResult]
    process.stdout.write(`\n${isa} kernels, ${threads} threads; results in ${file}\n\n${markdownTable(shown)}\n`)
  }
  return exitCode
}

main(process.argv.slice(2))
  .catch((error: unknown) => {
    process.stderr.write(`bench:zoo: ${(error as Error).message}\n`)
    if (error instanceof UsageError) process.stderr.write(`${USAGE}\n`)
    return 1
  })
  .then((code) => {
    process.exitCode = code
  })
