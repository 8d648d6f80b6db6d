import { basename, dirname } from 'node:path'
import { exportOnnx } from '../convert/onnx/export'
import { importOnnx } from '../convert/onnx/import'
import { exportTfjs } from '../convert/tfjs/exportTfjs'
import { importTfjs } from '../convert/tfjs/importTfjs'
import { loadModel } from '../model/load'
import type { Model } from '../model/model'
import { type Command, choice, parseCommand, printHelp, usage } from './arguments'

export const convertCommand = {
  name: 'convert',
  arguments: 'IN OUT',
  about: `Writes a model in another format, by the names of the files: .safetensors (what train saves), .onnx (ONNX), model.json (TensorFlow.js,
with its weights beside it).`,
  options: {
    input: { value: 'HxWxC', about: 'sizes of one sample, channels last, where IN leaves them open: 224x224x3' },
    layout: { value: 'nchw|nhwc', about: 'how images lie in ONNX files (default: of IN as the file says, of OUT nchw)' },
    json: { about: 'one line of JSON instead' },
  },
} satisfies Command

interface Choices {
  readonly input?: readonly number[]
  readonly layout?: 'nchw' | 'nhwc'
}

/** A format of files that models come from and go to. */
interface Format {
  readonly name: string
  /** Whether a file is of it, by its name. */
  readonly fits: (file: string) => boolean
  /** Options that say something of it. */
  readonly options: readonly (keyof Choices)[]
  readonly read: (file: string, choices: Choices) => Promise<Model>
  readonly write: (model: Model, file: string, choices: Choices) => Promise<void>
}

/** All there are: a further one is a row. */
const formats: readonly Format[] = [
  {
    name: 'safetensors',
    fits: (file) => /\.safetensors$/i.test(file),
    options: [],
    read: (file) => loadModel(file),
    write: (model, file) => model.save(file),
  },
  {
    name: 'ONNX',
    fits: (file) => /\.onnx$/i.test(file),
    options: ['input', 'layout'],
    read: (file, { input, layout }) => importOnnx(file, { ...(input && { input }), ...(layout && { layout }) }) as Promise<Model>,
    write: (model, file, { layout }) => exportOnnx(model, file, layout ? { layout } : {}),
  },
  {
    name: 'TensorFlow.js',
    // That very name is written.
    fits: (file) => basename(file) === 'model.json',
    options: ['input'],
    read: (file, { input }) => importTfjs(file, input ? { input } : {}),
    write: (model, file) => exportTfjs(model, dirname(file)),
  },
]

function formatOf(file: string): Format {
  const format = formats.find(({ fits }) => fits(file))
  if (format) return format
  throw usage(convertCommand, `${file}: what format is that? NAME.safetensors, NAME.onnx or model.json`)
}

function sizesOf(text: unknown): number[] | undefined {
  if (text === undefined) return undefined
  const sizes = String(text).split('x')
  if (sizes.length <= 4 && sizes.every((size) => /^[1-9]\d{0,8}$/.test(size))) return sizes.map(Number)
  throw usage(convertCommand, `--input must be sizes as 224x224x3, received "${text}"`)
}

/** Runs `convlane convert`; gives the exit code. */
export async function convert(argv: readonly string[]): Promise<number> {
  const parsed = parseCommand(convertCommand, argv)
  if (!parsed) return printHelp(convertCommand)
  const { values, positionals } = parsed
  const [from, to, unexpected] = positionals
  if (from === undefined || to === undefined)
    throw usage(convertCommand, `${from === undefined ? 'IN' : 'OUT'} is missing: the name of a file`)
  if (unexpected !== undefined) throw usage(convertCommand, `unexpected argument "${unexpected}"`)
  const [source, target] = [formatOf(from), formatOf(to)]
  const input = sizesOf(values.input)
  const layout = choice(convertCommand, 'layout', values.layout, ['nchw', 'nhwc'])
  if (input && !source.options.includes('input')) throw usage(convertCommand, `--input says nothing of ${source.name} files`)
  if (layout && ![source, target].some(({ options }) => options.includes('layout')))
    throw usage(convertCommand, '--layout is of ONNX files')
  const choices = { ...(input && { input }), ...(layout && { layout }) }
  const model = await source.read(from, choices)
  await target.write(model, to, choices)
  const { layers, parameters, inputs } = model.summary()
  const facts = {
    from,
    to,
    formats: [source.name, target.name],
    layers: layers.length,
    parameters,
    inputs: inputs.map(({ shape }) => shape.slice(1)),
  }
  const takes = facts.inputs.map((shape) => shape.join(' x ')).join(' and ')
  const line = values.json
    ? JSON.stringify(facts)
    : `wrote ${to}: ${facts.layers} layers, ${parameters.toLocaleString('en')} parameters, takes ${takes}`
  process.stdout.write(`${line}\n`)
  return 0
}
