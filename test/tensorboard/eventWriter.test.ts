import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { eventWriter } from '../../lib/index'
import { temporaryFolder } from '../support/folder'
import { errorOf, expectError } from '../support/models'
import { type readEvents, readRun } from './readEvents'

test('numbers, histograms and pictures come back from the file', async () => {
  const folder = join(temporaryFolder(), 'runs', 'own')
  const writer = await eventWriter(folder)
  await writer.scalar('loss', 0.1, 1)
  await writer.scalars({ 'a/x': Number.NaN, 'a/y': 1e300 }, 2)
  const weights = Float32Array.of(-1, 0, 0.5)
  const told = writer.histogram('weights', weights, 3)
  weights.fill(9)
  await told
  await writer.image('grey', { shape: [2, 3, 1], data: Uint8Array.of(0, 1, 2, 253, 254, 255) }, 4)
  await writer.image('colours', { shape: [2, 1, 1, 3], data: Float32Array.of(0, 0.5, 1, -3, 2, Number.NaN) }, 2 ** 40)
  await writer.close()
  const [{ version, values, restarts, times }, ...more] = readRun(folder) as [ReturnType<typeof readEvents>]
  expect([version, restarts, more]).toEqual(['brain.Event:2', [], []])
  expect(values.slice(0, 3)).toEqual([
    { tag: 'loss', step: 1, scalar: Math.fround(0.1) },
    { tag: 'a/x', step: 2, scalar: Number.NaN },
    { tag: 'a/y', step: 2, scalar: Number.POSITIVE_INFINITY },
  ])
  expect(values[3]).toMatchObject({ tag: 'weights', step: 3, numbers: [-1, 0.5, 3, -0.5, 1.25] })
  expect(values[4]).toMatchObject({ tag: 'grey', step: 4, image: { height: 2, width: 3, channels: 1 } })
  expect(values.slice(5).map(({ tag, step }) => [tag, step])).toEqual([
    ['colours/0', 2 ** 40],
    ['colours/1', 2 ** 40],
  ])
  expect(pixels(values[4]!.image!.png)).toEqual([0, 0, 1, 2, 0, 253, 254, 255])
  expect(pixels(values[5]!.image!.png)).toEqual([0, 0, 128, 255])
  expect(pixels(values[6]!.image!.png)).toEqual([0, 0, 255, 0])
  for (const time of times) expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(600)
})

/** Of a PNG, with the filter byte before each row. */
function pixels(png: Buffer): number[] {
  const at = png.indexOf('IDAT')
  return [...inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)))]
}

test('a large histogram is counted in slices, and steps stay in order', async () => {
  const folder = temporaryFolder()
  const writer = await eventWriter(folder)
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  void writer.histogram('large', new Float32Array(300_000).fill(2), 1)
  void writer.histogram('large', [3], 2)
  await writer.close()
  clearImmediate(timer)
  expect(turns).toBeGreaterThan(3)
  expect(readRun(folder)[0]!.values.map(({ step, numbers }) => [step, numbers![2]])).toEqual([[1, 300_000], [2, 1]]) // biome-ignore format: one list
})

test('much is written while it is told; nothing is lost', async () => {
  const folder = temporaryFolder()
  const writer = await eventWriter(folder, { flushSeconds: 3600 })
  const tag = 'x'.repeat(1000)
  for (let step = 0; step < 3000; step++) await writer.scalar(tag, step, step)
  expect(readFileSync(writer.file).length).toBeGreaterThan(2 ** 21)
  await writer.flush()
  expect(readRun(folder)[0]!.values.map(({ step }) => step)).toEqual(Array.from({ length: 3000 }, (_, step) => step))
  await writer.close()
  await writer.close()
  await expectError(() => writer.scalar('a', 1, 1), 'DISPOSED', /has been closed/)
})

test('a process that ends without close has written all', () => {
  const folder = temporaryFolder()
  const code = `require('convlane').eventWriter(${JSON.stringify(folder)}, { flushSeconds: 0.05 }).then((writer) => { for (let i = 0; i < 5; i++) writer.scalar('a', i, i) })`
  execFileSync(process.execPath, ['-e', code], { cwd: join(__dirname, '../..') })
  expect(readRun(folder)[0]!.values).toHaveLength(5)
})

test('writers in one folder do not meet', async () => {
  const folder = temporaryFolder()
  const writers = await Promise.all([1, 2, 3].map(() => eventWriter(folder)))
  await Promise.all(writers.map((writer, index) => writer.scalar('a', index, index)))
  await writers[2]!.restart(7)
  for (const writer of writers) await writer.close()
  const runs = readRun(folder)
  expect(runs.map(({ values }) => values.length)).toEqual([1, 1, 1])
  expect(runs.map(({ restarts }) => restarts)).toEqual([[], [], [7]])
})

test('bad input is refused, and leaves the file whole', async () => {
  const folder = temporaryFolder()
  const writer = await eventWriter(folder)
  const refused: [() => unknown, Parameters<typeof expectError>[1], RegExp][] = [
    [() => writer.scalar('', 1, 1), 'INVALID_ARGUMENT', /tag must be a string, not empty/],
    [() => writer.scalar('a', '1' as never, 1), 'INVALID_ARGUMENT', /the value of a must be a number, received "1"/],
    [() => writer.scalar('a', 1, -1), 'INVALID_ARGUMENT', /step/],
    [() => writer.scalar('a', 1, 0.5), 'INVALID_ARGUMENT', /step/],
    [() => writer.histogram('a', [], 1), 'INVALID_ARGUMENT', /the values of a must be an array of numbers, not empty/],
    [() => writer.histogram('a', [1, Number.NaN], 1), 'INVALID_ARGUMENT', /must be finite, received NaN at 1/],
    [() => writer.histogram('a', 'abc' as never, 1), 'INVALID_ARGUMENT', /an array of numbers/],
    [() => writer.image('a', { shape: [2, 2], data: new Uint8Array(4) }, 1), 'INVALID_SHAPE', /\[H, W, C\].*received \[2, 2\]/],
    [() => writer.image('a', { shape: [1, 2, 2], data: new Uint8Array(4) }, 1), 'INVALID_SHAPE', /C = 1 or 3/],
    [() => writer.image('a', { shape: [1, 2, 1], data: new Uint8Array(4) }, 1), 'INVALID_TENSOR', /4/],
    [() => writer.image('a', { shape: [1, 40_000, 1], data: new Uint8Array(40_000) }, 1), 'INVALID_ARGUMENT', /32768/],
    [() => eventWriter('', {}), 'INVALID_ARGUMENT', /dir must be a path/],
    [() => eventWriter(folder, { flush: 1 } as never), 'INVALID_ARGUMENT', /unknown option "flush"/],
    [() => eventWriter(folder, { flushSeconds: Number.NaN }), 'INVALID_ARGUMENT', /flushSeconds/],
  ]
  for (const [call, code, message] of refused) await expectError(call, code, message)
  await writer.scalar('good', 1, 1)
  await writer.close()
  expect(readRun(folder)[0]!.values).toEqual([{ tag: 'good', step: 1, scalar: 1 }])
})

test('a folder that cannot be, and a disk that fails: FILE_ERROR, once awaited', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  await expectError(() => eventWriter(join(folder, 'file', 'run')), 'FILE_ERROR', /not a directory/)
  const run = join(folder, 'run')
  mkdirSync(run)
  const writer = await eventWriter(run, { flushSeconds: 3600 })
  rmSync(run, { recursive: true })
  void writer.scalar('a', 1, 1)
  expect((await errorOf(() => writer.flush())).code).toBe('FILE_ERROR')
  void writer.scalar('a', 1, 1)
  void writer.image('a', { shape: [1, 1, 1], data: new Uint8Array(1) }, 1)
  await expectError(() => writer.scalar('a', 1, 1), 'FILE_ERROR', /cannot write/)
  await expectError(() => writer.close(), 'FILE_ERROR', /no such file/)
})
