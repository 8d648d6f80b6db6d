import { ConvlaneError } from '../errors'
import { isa, isaAvailable, threads } from '../machine'
import { loadNative, nativeFile } from '../native'
import { version } from '../version'
import { type Command, parseCommand, printHelp } from './arguments'

export const infoCommand = {
  name: 'info',
  about: 'Tells what this machine computes with.',
  options: { json: { about: 'one line of JSON instead' } },
} satisfies Command

/** Runs `convlane info`; gives the exit code: 1 when the native addon cannot be loaded. */
export async function info(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(infoCommand, argv)
  if (!parsed) return printHelp(infoCommand)
  const { native, error } = inspectNative()
  const facts = { version: version(), ...native, node: process.version, platform: `${process.platform}-${process.arch}` }
  if (parsed.values.json) process.stdout.write(`${JSON.stringify(error ? { ...facts, error: error.message } : facts)}\n`)
  else {
    for (const [name, value] of Object.entries(facts)) {
      process.stdout.write(`${name.padEnd(13)} ${Array.isArray(value) ? value.join(', ') : (value ?? '-')}\n`)
    }
    if (error) process.stdout.write(`\n${error.message}\n`)
  }
  return error ? 1 : 0
}

/** What the native addon tells; nothing, and why, when it cannot be loaded. */
function inspectNative() {
  try {
    const cpuFeatures = loadNative().cpuFeatures()
    return { native: { isa: isa(), isaAvailable: isaAvailable(), cpuFeatures, threads: threads(), binding: nativeFile() } }
  } catch (error) {
    if (!(error instanceof ConvlaneError)) throw error
    return { native: { isa: null, isaAvailable: [], cpuFeatures: [], threads: null, binding: null }, error }
  }
}
