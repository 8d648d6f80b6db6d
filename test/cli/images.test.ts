import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadModel } from '../../lib/index'
import { readSafetensors } from '../../lib/io/safetensors'
import { convlane } from '../support/cli'
import { temporaryFolder } from '../support/folder'
import { drawn, folderOf } from '../support/images'

/** Bright and dark images of several kinds and sizes, a text in the place of one. */
async function photographs(dir: string): Promise<void> {
  const files: Record<string, Uint8Array | string> = { 'photos/dark/text.png': 'a text', 'photos/dark/notes.txt': '' }
  for (let i = 0; i < 16; i++) {
    const kind = i % 2 ? 'jpeg' : 'png'
    const facts = { kind, height: 10 + i, width: 20 } as const
    files[`photos/bright/${i}.${kind}`] = await drawn({ ...facts, colour: [255 - i, 250, 240 - i] })
    files[`photos/dark/${i}.${kind}`] = await drawn({ ...facts, colour: [i, 10, 3 * i] })
  }
  folderOf(files, dir)
}

test('train, evaluate and predict take image files, and say which they cannot read', async () => {
  const cwd = temporaryFolder()
  await photographs(cwd)
  const argv = ['train', '--data', 'photos', '--size', '12x16', '--grey', '--epochs', '4', '--batch', '4']
  const stopped = await convlane(argv, { cwd })
  const broken = `${join('photos', 'dark/text.png')}: is no image: starts with "a text", expected a PNG, JPEG, WebP, AVIF or GIF image`
  expect(stopped).toEqual({ code: 1, stdout: '', stderr: `convlane: ${broken} (INVALID_FILE)\n` })
  expect(readdirSync(cwd)).toEqual(['photos'])

  const trained = await convlane([...argv, '--broken', 'skip'], { cwd })
  expect(trained.stderr).toBe('')
  expect(trained.stdout).toContain(`left out: ${broken}\nnot taken: ${join('photos', 'dark/notes.txt')}\n`)
  expect(trained.stdout).toMatch(/on photos: 26 images of 12 x 16 x 1 in 2 classes, changed at random;/)
  expect(trained.stdout).toMatch(
    /accuracy on 6 images never seen: 100.00 %\nsaved photos-lenet.safetensors\n\nTry next:\n {2}npx convlane predict photos-/,
  )
  const { metadata } = await readSafetensors(join(cwd, 'photos-lenet.safetensors'))
  expect(JSON.parse(metadata.convlane!).classNames).toEqual(['bright', 'dark'])

  const images = ['photos/dark/2.png', 'photos/dark/text.png', 'photos/bright/3.jpeg']
  const seen = await convlane(['predict', 'photos-lenet.safetensors', ...images, '--broken', 'skip'], { cwd })
  expect(seen.stdout).toMatch(
    /^photos\/dark\/2.png: dark \d\d\.\d\d %, bright \d+.\d\d %\nphotos\/bright\/3.jpeg: bright \d\d.\d\d %, dark/,
  )
  expect([seen.code, seen.stderr]).toEqual([
    0,
    `left out: photos/dark/text.png: is no image: starts with "a text", expected a PNG, JPEG, WebP, AVIF or GIF image\n`,
  ])
  const none = await convlane(['predict', 'photos-lenet.safetensors', images[1]!, '--broken', 'skip'], { cwd })
  expect([none.code, none.stdout, none.stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^left out: .*\nconvlane: predict: none of the images can be read, 1 left out \(INVALID_FILE\)\n$/),
  ])
  const model = await loadModel(join(cwd, 'photos-lenet.safetensors'))
  const weights = await model.getWeights()
  for (const { data } of Object.values(weights)) data.fill(Number.NaN)
  await model.setWeights(weights)
  await model.save(join(cwd, 'nan'))
  const nan = await convlane(['predict', 'nan', images[0]!], { cwd })
  expect(nan).toEqual({
    code: 1,
    stdout: '',
    stderr: 'convlane: photos/dark/2.png: what the model gives for 1 of 1 samples makes no probabilities: NaN or infinite (NOT_FINITE)\n',
  })
  const told = await convlane(['predict', 'photos-lenet.safetensors', ...images, '--json'], { cwd })
  expect(JSON.parse(told.stdout)).toEqual({
    file: images[0],
    class: 1,
    probabilities: [expect.any(Number), expect.any(Number)],
    className: 'dark',
  })
  expect([told.code, told.stderr]).toEqual([
    1,
    expect.stringMatching(/^convlane: photos\/dark\/text.png: is no image.*\(INVALID_FILE\)\n$/),
  ])

  const evaluated = await convlane(['evaluate', 'photos-lenet.safetensors', '--data', 'photos', '--broken', 'skip', '--json'], { cwd })
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ images: 6, accuracy: 1, classes: [{ class: 'bright' }, { class: 'dark' }] })
  const other = await convlane(['train', '--data', 'photos', '--model', 'photos-lenet.safetensors', '--size', '9'], { cwd })
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--size is for a new network: a saved model has its own')])
})
