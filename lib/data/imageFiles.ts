import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ConvlaneError } from '../errors'
import { aborted, fileError } from '../io/files'
import { kindOfName } from './imageKind'

/** An image in a folder of classes. */
export interface ImageFile {
  /** From the folder that was given, with `/` between the names. */
  readonly file: string
  readonly label: number
}

/** Folders of classes as they lie there, or in parts that were ready-made. */
export interface ImageFiles {
  readonly classNames: readonly string[]
  /** By path. Where only `all` is given, the user has made no parts. */
  readonly parts:
    | { readonly all: ImageFile[] }
    | { readonly train: ImageFile[]; readonly test: ImageFile[]; readonly validation?: ImageFile[] }
  /** Files that are no images or lie in no class's folder, and folders that are none of classes. */
  readonly ignored: readonly string[]
}

const testNames = ['test', 'testing']
const validationNames = ['validation', 'val', 'valid']

export interface ListOptions {
  /** Names of the classes by number, where they are known. */
  readonly classNames?: readonly string[] | undefined
  /** Whether each class must have a folder, in each part. */
  readonly everyClass: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds the images of each class: all in the class's folder, and in folders in it. Hidden files and folders and `__MACOSX` are left out; links to files are followed,
 * links to folders only where they stand for a class.
 * @throws FILE_ERROR for a folder that is missing or holds no classes, a class without images or folder, a single class, and classes whose names differ in case alone
 */
export async function listImages(dir: string, { classNames: given, everyClass, signal }: ListOptions): Promise<ImageFiles> {
  const look = new Look(dir, everyClass, signal)
  const top = await look.folders('')
  look.ignored.push(...top.others)
  const ready = top.folders.includes('train') ? await look.folders('train') : undefined
  if (!ready || ready.folders.length === 0 || ready.images > 0) {
    const classNames = given ?? checkClasses(dir, top)
    return { classNames, parts: { all: await look.images('', top.folders, classNames) }, ignored: look.ignored }
  }
  const classNames = given ?? checkClasses(join(dir, 'train'), ready)
  const part = async (names: readonly string[]) => {
    const name = names.find((candidate) => top.folders.includes(candidate))
    if (name === undefined) return undefined
    const { folders, others } = await look.folders(name)
    look.ignored.push(...others)
    return look.images(name, folders, classNames)
  }
  look.ignored.push(...ready.others)
  const train = await look.images('train', ready.folders, classNames)
  const [test, validation] = [await part(testNames), await part(validationNames)]
  const known = ['train', ...testNames, ...validationNames]
  look.ignored.push(...top.folders.filter((name) => !known.includes(name)).map((name) => `${name}/`))
  const held = test ?? validation
  const parts = held ? { train, test: held, ...(test && validation && { validation }) } : { all: train }
  return { classNames, parts, ignored: look.ignored }
}

interface Folder {
  /** Names of the folders in it. */
  readonly folders: string[]
  /** How many images lie in it itself. */
  readonly images: number
  /** What else does, images among it: paths. */
  readonly others: string[]
}

function checkClasses(dir: string, { folders, images }: Folder): string[] {
  const names = folders.map((name) => name.normalize('NFC')).sort(compare)
  const twice = names.find((name, at) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < at)
  if (twice !== undefined) {
    const first = names.find((name) => name.toLowerCase() === twice.toLowerCase())
    // Which of them there are would depend on the system.
    throw new ConvlaneError(
      'FILE_ERROR',
      `${dir}: the folders "${first}" and "${twice}" have the same name but for case or accents' encoding`,
    )
  }
  if (names.length >= 2) return names
  const found = names.length === 1 ? `only "${names[0]}"` : images > 0 ? `${images} images in the folder itself` : 'none'
  throw new ConvlaneError('FILE_ERROR', `${dir}: expected a folder of images for each of two classes at least, found ${found}`)
}

/** By code units: the same order everywhere. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

class Look {
  readonly #dir: string
  readonly #everyClass: boolean
  readonly #signal: AbortSignal | undefined
  readonly ignored: string[] = []

  constructor(dir: string, everyClass: boolean, signal: AbortSignal | undefined) {
    this.#dir = dir
    this.#everyClass = everyClass
    this.#signal = signal
  }

  /** What may be classes, or parts: links to folders too, but not to one that this one is in. */
  async folders(path: string): Promise<Folder> {
    const folders: string[] = []
    const others: string[] = []
    let images = 0
    const here = await realpath(join(this.#dir, path)).catch((error) => {
      throw fileError('read', join(this.#dir, path), error)
    })
    for (const entry of await this.#entries(path)) {
      const isClass = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsAway(join(this.#dir, path, entry.name), here)))
      if (isClass) folders.push(entry.name)
      else others.push(path === '' ? entry.name : `${path}/${entry.name}`)
      if (!isClass && kindOfName(entry.name)) images++
    }
    return { folders, images, others }
  }

  async images(path: string, folders: readonly string[], classNames: readonly string[]): Promise<ImageFile[]> {
    const files: ImageFile[] = []
    const there = folders.map((name) => name.normalize('NFC'))
    const stranger = there.find((name) => !classNames.includes(name))
    if (stranger !== undefined) {
      const message = `${join(this.#dir, path, stranger)}: there is no class "${stranger}", the classes are ${classNames.join(', ')}`
      throw new ConvlaneError('FILE_ERROR', message, { expected: classNames, received: stranger })
    }
    const missing = this.#everyClass ? classNames.find((name) => !there.includes(name)) : undefined
    if (missing !== undefined) {
      const message = `${join(this.#dir, path)}: has no folder for the class "${missing}"`
      throw new ConvlaneError('FILE_ERROR', message, { expected: classNames, received: there })
    }
    for (const name of folders) {
      const label = classNames.indexOf(name.normalize('NFC'))
      const folder = path === '' ? name : `${path}/${name}`
      const found: string[] = []
      const others = this.ignored.length
      await this.#collect(folder, found)
      if (found.length === 0) {
        const what = this.ignored.length > others ? `, but ${this.ignored.length - others} other files` : ''
        throw new ConvlaneError('FILE_ERROR', `${join(this.#dir, folder)}: holds no images (PNG, JPEG, WebP, AVIF, GIF)${what}`)
      }
      for (const file of found) files.push({ file, label })
    }
    if (files.length === 0)
      throw new ConvlaneError('FILE_ERROR', `${join(this.#dir, path)}: expected a folder of images for each class, found none`)
    return files.sort((a, b) => compare(a.file.normalize('NFC'), b.file.normalize('NFC')))
  }

  async #collect(folder: string, found: string[]): Promise<void> {
    for (const entry of await this.#entries(folder)) {
      const file = `${folder}/${entry.name}`
      if (entry.isDirectory()) await this.#collect(file, found)
      else if (kindOfName(entry.name) && !(entry.isSymbolicLink() && (await isFolder(join(this.#dir, file))))) found.push(file)
      else this.ignored.push(file)
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    if (this.#signal?.aborted) throw aborted(this.#signal)
    const path = join(this.#dir, folder)
    const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
      throw fileError('read', path, error)
    })
    return entries.filter(({ name }) => !name.startsWith('.') && name !== '__MACOSX').sort((a, b) => compare(a.name, b.name))
  }
}

async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isDirectory() === true
}

/** Whether a link leads to a folder that is not around the one it lies in. */
async function leadsAway(link: string, here: string): Promise<boolean> {
  const target = await realpath(link).catch(() => undefined)
  return target !== undefined && (await isFolder(target)) && !`${here}${sep}`.startsWith(target.endsWith(sep) ? target : `${target}${sep}`)
}

/**
 * Cuts a share of each class off, one image at least unless it has no other. Which ones follows from the seed and the names of the files alone: neither the system's
 * order nor what else lies there decides about a file, beyond how many are taken.
 */
export function splitImages(all: readonly ImageFile[], share: number, seed: number): { train: ImageFile[]; test: ImageFile[] } {
  const classes = new Map<number, ImageFile[]>()
  for (const image of all) {
    const before = classes.get(image.label)
    if (before) before.push(image)
    else classes.set(image.label, [image])
  }
  const held = new Set<ImageFile>()
  for (const images of classes.values()) {
    const count = Math.min(images.length - 1, Math.max(1, Math.round(images.length * share)))
    const drawn = images.map((image) => ({ image, hash: hashOf(image.file, seed) })).sort((a, b) => compare(a.hash, b.hash))
    for (const { image } of drawn.slice(0, count)) held.add(image)
  }
  return { train: all.filter((image) => !held.has(image)), test: all.filter((image) => held.has(image)) }
}

const hashOf = (file: string, seed: number) =>
  createHash('sha256')
    .update(`${seed}\0${file.normalize('NFC')}`)
    .digest('hex')
