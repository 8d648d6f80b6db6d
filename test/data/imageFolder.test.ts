import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { imageDataset, imageFolder } from '../../lib/data/imageFolder'
import type { ConvlaneError } from '../../lib/errors'
import { adam, conv2d, dense, globalAveragePool2d, sequential } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { drawn, folderOf, kinds } from '../support/images'

let dark: Buffer
let light: Buffer
beforeAll(async () => {
  dark = await drawn({ colour: [20, 10, 5] })
  light = await drawn({ colour: [240, 250, 235] })
})

/** Ten images of each class. */
const tens = (...names: string[]): string =>
  folderOf(Object.fromEntries(names.flatMap((name, k) => Array.from({ length: 10 }, (_, i) => [`${name}/${i}.png`, k % 2 ? light : dark]))))

const refused = async (dir: string, code: string, message: string | RegExp, options: object = {}) => {
  const error = await imageFolder(dir, { size: 4, ...options }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ name: 'ConvlaneError', code })
  const text = (error as Error).message
  if (typeof message === 'string') expect(text).toBe(message)
  else expect(text).toMatch(message)
}

describe('a folder of images', () => {
  test('gives classes by the names of folders, and images by path, of all five kinds', async () => {
    const files: Record<string, Uint8Array> = {}
    for (const [k, kind] of kinds.entries()) files[`b/${k}.${kind}`] = await drawn({ kind, colour: [10 * k, 10 * k, 10 * k] })
    const dir = folderOf({ ...files, 'a/z.JPG': dark, 'a/Z/1.png': dark, 'a/y/2.Jpeg': light })
    const { x, y, files: names, classNames, skipped, ignored, length } = await imageDataset(dir, { size: [3, 2] })
    expect(names).toEqual(['a/Z/1.png', 'a/y/2.Jpeg', 'a/z.JPG', 'b/0.png', 'b/1.jpeg', 'b/2.webp', 'b/3.avif', 'b/4.gif'])
    expect(classNames).toEqual(['a', 'b'])
    expect([...y.data]).toEqual([0, 0, 0, 1, 1, 1, 1, 1])
    expect(x.shape).toEqual([8, 3, 2, 3])
    expect([skipped, ignored, length]).toEqual([[], [], 8])
    for (let k = 0; k < 5; k++) for (let i = 0; i < 18; i++) expect(Math.abs(x.data[(3 + k) * 18 + i]! - 10 * k)).toBeLessThanOrEqual(4)
  })

  test('is drawn into two parts, class by class, by the seed and the names alone', async () => {
    const dir = tens('cat', 'dog', 'emu')
    const { train, test: held } = await imageFolder(dir, { size: 4 })
    expect([train.length, held.length]).toEqual([24, 6])
    expect([...held.y.data]).toEqual([0, 0, 1, 1, 2, 2])
    expect([...train.files, ...held.files].sort()).toEqual((await imageDataset(dir, { size: 4 })).files)
    expect((await imageFolder(tens('cat', 'dog', 'emu'), { size: 4, concurrency: 1 })).test.files).toEqual(held.files)
    const other = await imageFolder(dir, { size: 4, seed: 1 })
    expect(other.test.files).not.toEqual(held.files)
    const most = await imageFolder(dir, { size: 4, validationSplit: 0.999 })
    expect([most.train.length, most.test.length]).toEqual([3, 27])
    // Smaller shares are parts of larger ones.
    for (const file of held.files) expect(most.test.files).toContain(file)
  })

  test('keeps the parts that are there', async () => {
    const dir = folderOf({ 'train/a/1.png': dark, 'train/b/1.png': light, 'val/a/2.png': dark, 'val/b/2.png': light, 'more/x': '' })
    const { train, test: held, validation, ignored } = await imageFolder(dir, { size: 4 })
    expect([train.files, held.files, validation]).toEqual([['train/a/1.png', 'train/b/1.png'], ['val/a/2.png', 'val/b/2.png'], undefined])
    expect(ignored).toEqual(['more/'])
    folderOf({ 'test/a/3.png': dark, 'test/b/3.png': light }, dir)
    const three = await imageFolder(dir, { size: 4 })
    expect([three.test.files, three.validation?.files]).toEqual([
      ['test/a/3.png', 'test/b/3.png'],
      ['val/a/2.png', 'val/b/2.png'],
    ])
    await refused(dir, 'INVALID_ARGUMENT', /has parts of its own, train and test: expected no validationSplit$/, { validationSplit: 0.5 })
    await expect(imageDataset(dir, { size: 4 })).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('name one') })
    folderOf({ 'train/c/1.png': dark }, dir)
    await refused(dir, 'FILE_ERROR', `${join(dir, 'test')}: has no folder for the class "c"`)
    folderOf({ 'test/c/1.png': dark, 'test/d/1.png': dark }, dir)
    await refused(dir, 'FILE_ERROR', `${join(dir, 'test', 'd')}: there is no class "d", the classes are a, b, c`)
  })

  test('is read in the order of its paths, however they are drawn', async () => {
    const dir = tens('a', 'b')
    const { train, test: held } = await imageFolder(dir, { size: 4, seed: 3 })
    for (const part of [train, held]) {
      expect(part.files).toEqual([...part.files].sort())
      for (const [n, file] of part.files.entries()) {
        expect(part.x.data[n * 48]).toBe(file.startsWith('a') ? 20 : 240)
        expect(part.y.data[n]).toBe(file.startsWith('a') ? 0 : 1)
      }
    }
  })

  test('tells what it does not take for an image, and does not look at what is hidden', async () => {
    const dir = tens('a', 'b')
    folderOf({ 'a/notes.txt': 'x', 'a/.DS_Store': 'x', '.git/a.png': 'x', '__MACOSX/a.png': 'x', 'b/data.csv': '', 'loose.png': dark }, dir)
    expect((await imageFolder(dir, { size: 4 })).ignored).toEqual(['loose.png', 'a/notes.txt', 'b/data.csv'])
  })

  test('follows links to files and to class folders, none that lead around', async () => {
    const dir = tens('a', 'b')
    const elsewhere = folderOf({ '1.png': dark })
    symlinkSync(elsewhere, join(dir, 'c'))
    symlinkSync(dir, join(dir, 'loop'))
    symlinkSync(elsewhere, join(dir, 'a', 'inner'))
    symlinkSync(join(elsewhere, '1.png'), join(dir, 'a', 'link.png'))
    const { classNames, files, ignored } = await imageDataset(dir, { size: 4 })
    expect(classNames).toEqual(['a', 'b', 'c'])
    expect(files.filter((file) => !/\d.png$/.test(file))).toEqual(['a/link.png'])
    expect(ignored).toEqual(['loop', 'a/inner'])
  })

  test('gives class numbers by names that are known', async () => {
    const dir = tens('cat', 'dog')
    const { y, classNames } = await imageDataset(dir, { size: 4, classNames: ['emu', 'dog', 'cat'] })
    expect(classNames).toEqual(['emu', 'dog', 'cat'])
    expect([...new Set(y.data)]).toEqual([2, 1])
    await refused(dir, 'FILE_ERROR', `${dir}: has no folder for the class "emu"`, { classNames: ['emu', 'dog', 'cat'] })
    await refused(dir, 'FILE_ERROR', `${join(dir, 'dog')}: there is no class "dog", the classes are cat, emu`, {
      classNames: ['cat', 'emu'],
    })
  })

  test('teaches a network, which keeps the names', async () => {
    const { train, test: held } = await imageFolder(tens('dark', 'light'), { size: 4 })
    const model = sequential({ input: [4, 4, 3], seed: 1 }, conv2d(4, 1, { activation: 'relu' }), globalAveragePool2d(), dense(2))
    model.compile({ optimizer: adam({ learningRate: 0.05 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    await model.fit(train, { epochs: 20, batchSize: 8 })
    expect((await model.evaluate(held)).accuracy).toBe(1)
    expect(model.classNames).toEqual(['dark', 'light'])
  })

  test('tells how far it is, and stops by a signal', async () => {
    const dir = tens('a', 'b')
    const seen: number[] = []
    const controller = new AbortController()
    await imageFolder(dir, { size: 4, onProgress: (done, total) => seen.push(done / total) })
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) / 20))
    const onProgress = (done: number) => {
      if (done === 3) controller.abort()
    }
    await refused(dir, 'ABORTED', /stopped/, { signal: controller.signal, onProgress, concurrency: 1 })
    await refused(dir, 'ABORTED', /stopped/, { signal: AbortSignal.abort() })
  })
})

describe('broken images', () => {
  const withBroken = () => {
    const dir = tens('a', 'b')
    folderOf(
      { 'a/5.png': 'a text', 'b/3.png': dark.subarray(0, 60), 'a/new.heic': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1', 'latin1') },
      dir,
    )
    symlinkSync(join(dir, 'nowhere.png'), join(dir, 'b', '99.png'))
    return dir
  }

  test('end it, the first by path with its name', async () => {
    const dir = withBroken()
    await expect(imageDataset(dir, { size: 4 })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: `${join(dir, 'a/5.png')}: is no image: starts with "a text", expected a PNG, JPEG, WebP, AVIF or GIF image`,
    })
  })

  test('are left out where the user says so, told in order, with class numbers in their places', async () => {
    const dir = withBroken()
    const told: string[] = []
    const { files, y, skipped, length } = await imageDataset(dir, { size: 4, onBroken: ({ file }) => void told.push(file) })
    expect(skipped.map(({ file, error }) => [file, error.code])).toEqual([
      ['a/5.png', 'INVALID_FILE'],
      ['a/new.heic', 'UNSUPPORTED'],
      ['b/3.png', 'INVALID_FILE'],
      ['b/99.png', 'FILE_ERROR'],
    ])
    expect(told).toEqual(skipped.map(({ file }) => file))
    expect([length, files.length, files.includes('a/5.png')]).toEqual([18, 18, false])
    expect([...y.data]).toEqual(files.map((file) => (file.startsWith('a') ? 0 : 1)))
    expect((await imageDataset(dir, { size: 4, onBroken: 'skip' })).files).toEqual(files)
  })

  test('may end it by what the user throws', async () => {
    const onBroken = () => {
      throw new Error('enough')
    }
    await expect(imageDataset(withBroken(), { size: 4, onBroken })).rejects.toThrow('enough')
  })

  test('that are all of a class are refused even then', async () => {
    const dir = folderOf({ 'a/1.png': dark, 'a/2.png': dark, 'b/1.png': 'x', 'b/2.png': 'x' })
    await refused(dir, 'INVALID_FILE', /: no image of class "b" could be read: .*2?.png: is no image/, { onBroken: 'skip' })
  })

  test('of too many pixels are among them', async () => {
    const dir = tens('a', 'b')
    const error = (await imageDataset(dir, { size: 4, limitInputPixels: 47 }).catch((thrown: unknown) => thrown)) as ConvlaneError
    expect(error.message).toBe(`${join(dir, 'a/0.png')}: has more pixels than limitInputPixels, 47`)
  })
})

describe('what is no folder of images', () => {
  test('is refused with what was found', async () => {
    const dir = temporaryFolder()
    await refused(join(dir, 'none'), 'FILE_ERROR', /cannot read .*none: no such file or directory/)
    await refused(dir, 'FILE_ERROR', `${dir}: expected a folder of images for each of two classes at least, found none`)
    writeFileSync(join(dir, '1.png'), dark)
    await refused(dir, 'FILE_ERROR', /two classes at least, found 1 images in the folder itself$/)
    await refused(join(dir, '1.png'), 'FILE_ERROR', /a part of the path is not a directory|cannot read/)
    folderOf({ 'cat/1.png': dark, 'cat/2.png': dark }, dir)
    await refused(dir, 'FILE_ERROR', /two classes at least, found only "cat"$/)
    mkdirSync(join(dir, 'dog'))
    await refused(dir, 'FILE_ERROR', `${join(dir, 'dog')}: holds no images (PNG, JPEG, WebP, AVIF, GIF)`)
    folderOf({ 'dog/notes.txt': '' }, dir)
    await refused(dir, 'FILE_ERROR', /holds no images .*, but 1 other files$/)
    await refused(
      folderOf({ 'a/1.png': dark, 'b/1.png': light }),
      'FILE_ERROR',
      /each class has a single image, none is left to test with$/,
    )
  })

  test.skipIf(process.platform !== 'linux')(
    'has classes whose names differ in case, or in how accents are written (other systems cannot hold such)',
    async () => {
      await refused(tens('Cat', 'cat'), 'FILE_ERROR', /: the folders "Cat" and "cat" have the same name but for case or accents' encoding$/)
      await refused(tens('caf\u00e9', 'cafe\u0301'), 'FILE_ERROR', /have the same name but for case/)
    },
  )

  test.each<[unknown, object, RegExp]>([
    ['', { size: 4 }, /^imageFolder: dir must be the path of a folder, received ""$/],
    ['a', {}, /^imageFolder: size must be given/],
    ['a', { size: 4, validationSplit: 0 }, /validationSplit must be above 0/],
    ['a', { size: 4, validationSplit: 1 }, /validationSplit must be/],
    ['a', { size: 4, seed: -1 }, /seed must be/],
    ['a', { size: 4, onBroken: 'ignore' }, /onBroken must be/],
    ['a', { size: 4, concurrency: 0 }, /concurrency must be/],
    ['a', { size: 4, classNames: ['a', 'a'] }, /classNames must be two different names or more/],
    ['a', { size: 4, onProgress: 3 }, /onProgress must be a function/],
    ['a', { size: 4, batch: 3 }, /unknown option "batch"/],
  ])('refuses %j with %j', async (dir, options, message) => {
    await expect(imageFolder(dir as string, options as { size: 4 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    })
  })
})
