import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { crop, flip, type Transformation } from '../augment/transformations'
import type { TrainTest } from '../data/dataset'
import { hintFor, setsIn } from '../data/folder'
import { imageFolder } from '../data/imageFolder'
import { kindOfName } from '../data/imageKind'
import type { BrokenImage } from '../data/imageReader'
import { modelForm } from '../data/readImage'
import { fileError } from '../io/files'
import { Model } from '../model/model'
import { type Command, choice, usage } from './arguments'

/** Options of commands that read images from a folder of classes. */
export const folderOptions = {
  split: { value: 'SHARE', about: 'of a folder of images without parts: the share of each class that is for testing (default 0.2)' },
  broken: { value: 'stop|skip', about: 'at an image that cannot be read: stop (default), or name it and go on without it' },
} as const

/** What a new network's images become. */
export const formOptions = {
  size: { value: 'N|HxW', about: 'of a folder of images: height and width that each gets, cut and resized to fit (default 64)' },
  grey: { about: 'of a folder of images: without their colours' },
} as const

/** How images of a folder are read. */
export interface ImagePlan {
  /** What the images become; of a saved model what that says. */
  readonly form: Model | { readonly size: readonly [height: number, width: number]; readonly channels: 1 | 3 }
  readonly validationSplit?: number
  readonly onBroken: 'throw' | 'skip'
  /** The options that were given, which mean nothing for other data. */
  readonly given: readonly string[]
}

const SIZE = 64

/** Reads the options for images. Throws {@link UsageError}. */
export function imagePlan(command: Command, values: Readonly<Record<string, unknown>>, model?: Model): ImagePlan {
  const given = ['split', 'broken', 'size', 'grey'].filter((name) => values[name] !== undefined)
  const formed = given.find((name) => name === 'size' || name === 'grey')
  if (model && formed) throw usage(command, `--${formed} is for a new network: a saved model has its own`)
  const onBroken = choice(command, 'broken', values.broken, ['stop', 'skip']) === 'skip' ? 'skip' : 'throw'
  const share = values.split === undefined ? undefined : Number(values.split)
  if (share !== undefined && !(share > 0 && share < 1))
    throw usage(command, `--split must be above 0 and below 1, received "${values.split}"`)
  return {
    form: model ?? { size: sizeOf(command, values.size), channels: values.grey ? 1 : 3 },
    onBroken,
    ...(share !== undefined && { validationSplit: share }),
    given,
  }
}

function sizeOf(command: Command, text: unknown): readonly [number, number] {
  if (text === undefined) return [SIZE, SIZE]
  const [, height, width = height] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(String(text)) ?? []
  const size = [Number(height), Number(width)] as const
  if (size.every((side) => side >= 1 && side <= 4096)) return size
  throw usage(command, `--size must be a number or HEIGHTxWIDTH, 1 to 4096 each, received "${text}"`)
}

/** Whether a folder is one of images: it has folders, or images, in it, and no data set of another kind. Throws FILE_ERROR. */
export async function holdsImages(dir: string): Promise<boolean> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error) => {
    throw fileError('read', dir, error)
  })
  const names = entries.map(({ name }) => name)
  const { idx, cifar } = setsIn(names)
  if (idx || cifar || hintFor(names) !== '') return false
  return entries.some((entry) => !entry.name.startsWith('.') && (!entry.isFile() || kindOfName(entry.name) !== undefined))
}

/** How often it is told how far the reading is. */
const TELL_MS = 5000

/** Reads a folder of images, and says what was left out. */
export async function openImages(
  dir: string,
  { form, onBroken: atBroken, validationSplit }: ImagePlan,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<TrainTest> {
  let told = performance.now()
  const onProgress = (done: number, total: number) => {
    if (performance.now() - told < TELL_MS) return
    told = performance.now()
    say(`read ${done.toLocaleString('en')} of ${total.toLocaleString('en')} images`)
  }
  const onBroken = atBroken === 'throw' ? 'throw' : ({ error }: BrokenImage) => say(`left out: ${error.message}`)
  const { train, test, ignored } = await imageFolder(dir, {
    ...(form instanceof Model ? { ...modelForm(form, dir), ...(form.classNames && { classNames: form.classNames }) } : form),
    ...(validationSplit !== undefined && { validationSplit }),
    onBroken,
    onProgress,
    ...(signal && { signal }),
  })
  if (ignored.length > 0) say(`not taken: ${listed(ignored.map((name) => join(dir, name)))}`)
  return { train, test }
}

const SHOWN = 3

const listed = (names: readonly string[]) =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? `, and ${names.length - SHOWN} more` : ''}`

/** What is done to photographs at random while a network learns from them, where nobody says: seen in a mirror, and moved by up to a twelfth. */
export function photographAugment([height, width]: readonly number[]): Transformation[] {
  return [flip(), crop({ padding: Math.max(1, Math.round(Math.min(height!, width!) / 12)), mode: 'edge' })]
}
