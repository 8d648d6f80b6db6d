import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { ConvlaneError } from '../errors'
import { findAddon } from '../loader/find'
import { type Command, parseCommand, printHelp } from './arguments'

const root = dirname(dirname(__dirname))
const toolsFolder = join(root, 'build-tools')

/** What compiles the addon, besides the system's tools: exactly what this version of convlane was built with. */
export const buildTools: Readonly<Record<string, string>> = { 'cmake-js': '8.0.0', 'node-addon-api': '8.9.2', 'node-api-headers': '1.9.0' }
const pinned = Object.entries(buildTools).map(([name, version]) => `${name}@${version}`)

export const buildCommand = {
  name: 'build',
  about: 'Compiles the native core for this machine: for platforms without a prebuilt one.',
  options: {},
  more: `Needs CMake 3.19, make or ninja, and a C++17 compiler. ${pinned.join(', ')} are taken from the
project's node_modules where all three are there, else fetched with npm, into a folder within the installed package.`,
} satisfies Command

/** Runs `convlane build`; gives the exit code. Throws `NATIVE_BUILD` when something is missing or fails. */
export async function build(argv: readonly string[]): Promise<number> {
  if (!parseCommand(buildCommand, argv)) return printHelp(buildCommand)
  checkSystem()
  const { cmakeJs, folder } = findTools(join(root, 'package.json')) ?? findTools(join(toolsFolder, 'package.json')) ?? fetchTools()
  const args = [
    'compile',
    '--directory',
    root,
    '--out',
    join(root, 'build'),
    '--log-level',
    'warn',
    '--parallel',
    `${availableParallelism()}`,
  ]
  say(`compiling in ${join(root, 'build')} …`)
  const failure = run(process.execPath, [cmakeJs, ...args], { cwd: root, env: { ...process.env, NODE_PATH: folder } })
  if (failure) throw new ConvlaneError('NATIVE_BUILD', `the compilation failed (${failure}); its messages are above`)
  const { file } = findAddon(root)
  say(`built, and loaded: ${file}`)
  return 0
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Runs a program to its end; gives what went wrong. What it prints goes to standard error. */
function run(command: string, args: readonly string[], options: SpawnSyncOptions): string | undefined {
  const { status, signal, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options })
  if (error) return error.message
  return status === 0 ? undefined : (signal ?? `exit code ${status}`)
}

const answers = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

/** Throws, with all that is missing and how to get it. On Windows CMake itself looks for Visual Studio. */
function checkSystem(): void {
  const needs = [
    { what: 'cmake', debian: 'cmake', commands: ['cmake'] },
    ...(process.platform === 'win32'
      ? []
      : [
          { what: 'a C++17 compiler (g++ 10 or clang 12 at least)', debian: 'g++', commands: [process.env.CXX || 'c++', 'g++', 'clang++'] },
          { what: 'make or ninja', debian: 'make', commands: ['make', 'ninja'] },
        ]),
  ]
  const missing = needs.filter(({ commands }) => !commands.some(answers))
  if (missing.length === 0) return
  const names = new Intl.ListFormat('en').format(missing.map(({ what }) => what))
  throw new ConvlaneError(
    'NATIVE_BUILD',
    `the native core cannot be compiled: this machine lacks ${names}.
On Debian and Ubuntu: apt-get install ${missing.map(({ debian }) => debian).join(' ')}`,
  )
}

/** The tools that a file would load, when all of them are there in the right versions. */
function findTools(from: string): { cmakeJs: string; folder: string } | undefined {
  const { resolve } = createRequire(from)
  try {
    for (const [name, version] of Object.entries(buildTools)) {
      if ((require(resolve(`${name}/package.json`)) as { version: string }).version !== version) return undefined
    }
    const packageFile = resolve('cmake-js/package.json')
    return { cmakeJs: join(dirname(packageFile), 'bin/cmake-js'), folder: dirname(dirname(packageFile)) }
  } catch {
    return undefined
  }
}

function fetchTools(): { cmakeJs: string; folder: string } {
  say(`fetching ${pinned.join(', ')} into ${toolsFolder} …`)
  try {
    mkdirSync(toolsFolder, { recursive: true })
  } catch (cause) {
    throw new ConvlaneError('NATIVE_BUILD', `${toolsFolder} cannot be made: ${(cause as Error).message}`, { cause })
  }
  // The folder by another name than its own, in which a shell would take a space for its end.
  const args = ['install', '--prefix', '.', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0', ...pinned]
  const failure = run('npm', args, { cwd: toolsFolder, shell: process.platform === 'win32' })
  const tools = failure ? undefined : findTools(join(toolsFolder, 'package.json'))
  if (tools) return tools
  throw new ConvlaneError(
    'NATIVE_BUILD',
    `the tools that compile the native core cannot be fetched (npm: ${failure ?? 'other versions came'}).
Without a network: install them from a registry that is in reach, or from npm's cache, into the project that uses convlane, and run this again:
  npm install --save-dev ${pinned.join(' ')}`,
  )
}
