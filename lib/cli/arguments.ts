import { parseArgs } from 'node:util'

/** A command line that makes no sense: exit code 2. */
export class UsageError extends Error {}

export interface Option {
  /** What stands for the value in the help; absent: a switch. */
  readonly value?: string
  readonly about: string
  readonly multiple?: boolean
  /** It may stand without its value, which is then an empty text. */
  readonly isBare?: boolean
}

/** What a command takes: the source of its parser and of its `--help`. */
export interface Command<Name extends string = string> {
  readonly name: string
  readonly about: string
  /** Arguments without a name, as the help shows them. */
  readonly arguments?: string
  readonly options: Readonly<Record<Name, Option>>
  /** Paragraphs behind the options. */
  readonly more?: string
}

export interface Arguments<Name extends string> {
  /** Texts by option; `true` for switches that are given. */
  readonly values: Readonly<Partial<Record<Name, string | boolean | string[]>>>
  readonly positionals: readonly string[]
}

/** Parses a command's arguments; nothing when the help is asked for. Throws {@link UsageError}. */
export function parseCommand<Name extends string>(command: Command<Name>, argv: readonly string[]): Arguments<Name> | undefined {
  const known: Readonly<Record<string, Option>> = command.options
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value, multiple = false }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple },
    ]),
  )
  const { tokens, values, positionals } = parseArgs({
    args: argv.map((arg, index) => {
      const isBare = arg.startsWith('--') && Object.hasOwn(known, arg.slice(2)) && known[arg.slice(2)]!.isBare
      const next = argv[index + 1]
      return isBare && (next === undefined || next.startsWith('-')) ? `${arg}=` : arg
    }),
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  })
  if (values.help) return undefined
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined
    if (!option) throw unknownOption(command, token.rawName)
    if (option.value === undefined && token.value !== undefined) throw usage(command, `${token.rawName} takes no value`)
    const isForgotten = token.value === undefined || (token.inlineValue === false && token.value.startsWith('--'))
    if (option.value !== undefined && isForgotten) throw usage(command, `${token.rawName} needs a value: ${token.rawName} ${option.value}`)
    if (seen.has(token.name) && !option.multiple) throw usage(command, `${token.rawName} is given twice`)
    seen.add(token.name)
  }
  if (!command.arguments && positionals.length > 0) throw usage(command, `unexpected argument "${positionals[0]}"`)
  return { values: values as Arguments<Name>['values'], positionals }
}

/** The error of a command, with the way to its help. */
export function usage(command: Command, message: string): UsageError {
  return new UsageError(`${message} (see convlane ${command.name} --help)`)
}

function unknownOption(command: Command, given: string): UsageError {
  const nearest = nearestOf(given.replace(/^-+/, ''), Object.keys(command.options))
  return usage(command, `unknown option ${given}${nearest ? `, did you mean --${nearest}?` : ''}`)
}

/** The word that is at most two letters off, or begins as the given one does. */
export function nearestOf(word: string, words: readonly string[]): string | undefined {
  const far = words.map((candidate) => ({
    candidate,
    distance: word.length > 1 && candidate.startsWith(word) ? 0 : distance(word, candidate),
  }))
  const [best] = far.sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.min(2, Math.floor(word.length / 2)) ? best.candidate : undefined
}

/** Levenshtein's: letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** Answers `--help`; gives the exit code. */
export function printHelp(command: Command): number {
  process.stdout.write(helpOf(command))
  return 0
}

function helpOf(command: Command): string {
  const rows = Object.entries<Option>({ ...command.options, help: { about: 'show this' } }).map(([name, { value, about, isBare }]) => ({
    left: `--${name}${value ? (isBare ? ` [${value}]` : ` ${value}`) : ''}`,
    about,
  }))
  const width = Math.max(...rows.map(({ left }) => left.length))
  const lines = rows.map(({ left, about }) => `  ${left.padEnd(width)}  ${about.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`)
  const head = `convlane ${command.name}${command.arguments ? ` ${command.arguments}` : ''} [options]`
  return `${head}\n\n${command.about}\n\n${lines.join('\n')}\n${command.more ? `\n${command.more}\n` : ''}`
}

/** A whole number option. Throws {@link UsageError}. */
export function wholeNumber(
  command: Command,
  name: string,
  text: unknown,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(String(text)) ? Number(text) : Number.NaN
  if (value >= low && value <= high) return value
  const range = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`
  throw usage(command, `--${name} must be a whole number ${range}, received "${text}"`)
}

/** One word of a list. Throws {@link UsageError}. */
export function choice<T extends string>(command: Command, name: string, text: unknown, choices: readonly T[]): T | undefined {
  if (text === undefined || choices.includes(text as T)) return text as T | undefined
  throw usage(command, `--${name} must be ${choices.join(' or ')}, received "${text}"`)
}
