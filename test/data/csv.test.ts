import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvStreamOptions, readCsv, streamCsv } from '../../lib/data/csv'
import type { CsvOptions } from '../../lib/data/csvRows'
import { ConvlaneError } from '../../lib/errors'
import { dense, sequential, sgd } from '../../lib/index'
import { temporaryFolder } from '../support/folder'

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))
const flowers = 'length,width,kind\n5.1,3.5,setosa\n7, 3.2 ,"versi,color"\n-6.3e-1,+.33,setosa\n'

describe('readCsv', () => {
  test('reads numbers and names of classes, from a file and from bytes', async () => {
    const expected = {
      x: { shape: [3, 2], data: Float32Array.of(5.1, 3.5, 7, 3.2, -0.63, 0.33) },
      y: { shape: [3], data: Int32Array.of(0, 1, 0) },
      classNames: ['setosa', 'versi,color'],
      length: 3,
    }
    expect(await readCsv(bytesOf(flowers), { label: 'kind' })).toEqual(expected)
    const file = join(temporaryFolder(), 'flowers.csv')
    // As Excel writes it: a byte order mark, and its own line ends.
    writeFileSync(file, `\ufeff${flowers.replaceAll('\n', '\r\n')}`)
    expect(await readCsv(file, { label: 'kind' })).toEqual(expected)
    const named = await readCsv(file, { label: 'kind', classNames: ['versi,color', 'other', 'setosa'] })
    expect([...named.y.data]).toEqual([2, 0, 2])
  })

  test('reads class numbers, and bytes of any shape, without a header', async () => {
    const { x, y, classNames } = await readCsv(bytesOf('7,0,255,1,2\n10,3,4,5,6\n\n'), {
      header: false,
      label: 0,
      bytes: true,
      shape: [2, 2, 1],
    })
    expect(x).toEqual({ shape: [2, 2, 2, 1], data: Uint8Array.of(0, 255, 1, 2, 3, 4, 5, 6) })
    expect([[...y.data], classNames]).toEqual([[7, 10], undefined])
  })

  test('reads target values, chosen columns and another delimiter', async () => {
    const { x, y } = await readCsv(bytesOf('a;b;c;d\n1;2;3;4\n5;6;7;8'), { targets: ['d', 'a'], columns: ['c', 1], delimiter: ';' })
    expect(x).toEqual({ shape: [2, 2], data: Float32Array.of(3, 2, 7, 6) })
    expect(y).toEqual({ shape: [2, 2], data: Float32Array.of(4, 1, 8, 5) })
    expect((await readCsv(bytesOf('a,b\n1,2'), { targets: 'b' })).y).toEqual({ shape: [1, 1], data: Float32Array.of(2) })
  })

  test('takes line ends of several kinds in one file, also where a piece of the file ends between the two characters of one', async () => {
    const { x } = await readCsv(bytesOf('a,k\r\n1,0\n2,1\r3,0\r\n\r\n4,1'), { label: 'k' })
    expect([...x.data]).toEqual([1, 2, 3, 4])
    const line = `${'7'.repeat(9)},1\r\n`
    const many = await readCsv(bytesOf(`a,k\n${line.repeat(2 ** 14)}`), { label: 'k' })
    expect(many.x.shape).toEqual([2 ** 14, 1])
  })

  test('has a class by any name that classNames has', async () => {
    const read = (missing: 'throw' | 'skip') => readCsv(bytesOf('a,k\n1,NA\n2,EU\n'), { label: 'k', classNames: ['EU', 'NA'], missing })
    for (const missing of ['throw', 'skip'] as const) expect([...(await read(missing)).y.data]).toEqual([1, 0])
  })

  test('leaves rows out, or fills them, where a number is missing', async () => {
    const text = 'a,b,k\n1,NA,x\n2,3,y\n,4,x\n5,6,?\n'
    const skipped = await readCsv(bytesOf(text), { label: 'k', missing: 'skip' })
    expect([[...skipped.x.data], skipped.classNames]).toEqual([[2, 3], ['y']])
    const filled = await readCsv(bytesOf(text.replace('?', 'x')), { label: 'k', missing: -1 })
    expect([...filled.x.data]).toEqual([1, -1, 2, 3, -1, 4, 5, 6])
    await expect(readCsv(bytesOf(text), { label: 'k' })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: 'readCsv: row 1, column "b": "NA" is not a number that float32 can hold',
    })
    await expect(readCsv(bytesOf(text), { label: 'k', missing: 0 })).rejects.toThrow('readCsv: row 4, column "k": "?" is not a class')
    await expect(readCsv(bytesOf('a,k\n,x\n'), { label: 'k', missing: 'skip' })).rejects.toThrow(
      /holds no row in which nothing is missing$/,
    )
  })

  test.each<[string, string, CsvOptions, string, RegExp]>([
    ['nothing', '', { label: 0 }, 'INVALID_FILE', /holds no rows$/],
    ['names alone', 'a,b\n', { label: 'a' }, 'INVALID_FILE', /holds no rows but the one of names$/],
    ['a row that is shorter', 'a,b\n1,2\n3\n', { label: 'a' }, 'INVALID_FILE', /Invalid Record Length: expect 2, got 1 on line 3/],
    ['a row that is longer', 'a,b\n1,2\n3,4,5\n', { label: 'a' }, 'INVALID_FILE', /Invalid Record Length/],
    ['a quote without an end', 'a,b\n1,"2\n', { label: 'a' }, 'INVALID_FILE', /Quote Not Closed/],
    ['text behind a quote', 'a,b\n1,"2"3\n', { label: 'a' }, 'INVALID_FILE', /Invalid Closing Quote/],
    ['a text for a number', 'a,b\n1,two\n', { label: 'a' }, 'INVALID_FILE', /row 1, column "b": "two" is not a number/],
    ['hexadecimal', 'a,b\n1,0x10\n', { label: 'a' }, 'INVALID_FILE', /"0x10" is not a number/],
    ['what float32 cannot hold', 'a,b\n1,1e39\n', { label: 'a' }, 'INVALID_FILE', /"1e39" is not a number that float32 can hold/],
    ['infinity', 'a,b\n1,Infinity\n', { label: 'a' }, 'INVALID_FILE', /"Infinity" is not/],
    ['what is no byte', 'a,b\n1,256\n', { label: 'a', bytes: true }, 'INVALID_FILE', /"256" is not a byte, 0 to 255/],
    ['a column that is not there', 'a,b\n1,2\n', { label: 'c' }, 'INVALID_FILE', /has no column "c", the columns are a, b$/],
    ['a number behind the last column', '1,2\n', { label: 2, header: false }, 'INVALID_FILE', /has no column 2, it has 2$/],
    ['a name without a header', '1,2\n', { label: 'a', header: false }, 'INVALID_FILE', /has no column "a"/],
    ['a name that stands twice', 'a,a\n1,2\n', { label: 'a' }, 'INVALID_FILE', /has the column "a" twice: name it by its number/],
    ['no column for samples', 'a\n1\n', { label: 'a' }, 'INVALID_FILE', /has no columns for samples/],
    ['another shape', 'a,b,c\n1,2,3\n', { label: 'a', shape: [3] }, 'INVALID_SHAPE', /samples have 2 columns, shape \[3\] has 3 elements/],
    [
      'a class that is not known',
      flowers,
      { label: 'kind', classNames: ['setosa'] },
      'INVALID_LABEL',
      /row 2: "versi,color" is not one of setosa$/,
    ],
    ['a file of zeros', '\0'.repeat(100), { label: 0 }, 'INVALID_FILE', /has no columns for samples/],
  ])('refuses %s', async (_, text, options, code, message) => {
    await expect(readCsv(bytesOf(text), options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    const file = join(temporaryFolder(), 'a.csv')
    writeFileSync(file, text)
    const error = (await readCsv(file, options).catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(error.message.startsWith(`${file}: `)).toBe(true)
  })

  test.each<[object, RegExp]>([
    [{}, /options must be an object with either label or targets/],
    [{ label: 'a', targets: 'b' }, /either label or targets/],
    [{ label: -1 }, /label must be a column's name or number/],
    [{ targets: [] }, /targets must be/],
    [{ targets: ['a', 'a'] }, /targets must be/],
    [{ label: 'a', columns: [] }, /columns must be/],
    [{ label: 'a', shape: 3 }, /shape must be an array/],
    [{ label: 'a', bytes: 1 }, /bytes must be true or false/],
    [{ label: 'a', delimiter: ';;' }, /delimiter must be one character/],
    [{ label: 'a', delimiter: '"' }, /delimiter must be one character/],
    [{ label: 'a', missing: Number.NaN }, /missing must be/],
    [{ label: 'a', missing: 'fill' }, /missing must be/],
    [{ label: 'a', classNames: ['a', 'a'] }, /classNames must be different names/],
    [{ targets: 'a', classNames: ['a'] }, /classNames must be different names, for a label/],
    [{ label: 'a', batchSize: 3 }, /unknown option "batchSize"/],
  ])('refuses the options %j', async (options, message) => {
    await expect(readCsv(bytesOf('a,b\n1,2'), options as CsvOptions)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    })
  })

  test('says what is no file, and stops by a signal', async () => {
    const dir = temporaryFolder()
    await expect(readCsv(join(dir, 'none.csv'), { label: 0 })).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('no such file'),
    })
    await expect(readCsv(dir, { label: 0 })).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('it is a directory'),
    })
    await expect(readCsv(3 as never, { label: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(readCsv(bytesOf(flowers), { label: 'kind', signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    const controller = new AbortController()
    const reading = readCsv(bytesOf('1,2\n'.repeat(200_000)), { label: 0, header: false, signal: controller.signal })
    setTimeout(() => controller.abort(), 5)
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('gives data or a coded error for any bytes', async () => {
    const cell = fc.oneof(
      fc.constantFrom('1', '2.5', 'a', '', '"', '""', '"x', ',', '\n', '\r\n', '\0', 'é', '-'),
      fc.string({ maxLength: 4 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 30 }), fc.boolean(), async (cells, header) => {
        await readCsv(bytesOf(cells.join('')), { label: 0, header, missing: 'skip' }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(ConvlaneError)
          expect(['INVALID_FILE', 'INVALID_LABEL']).toContain((error as ConvlaneError).code)
        })
      }),
      { numRuns: 200, seed: 3 },
    )
  })
})

describe('streamCsv', () => {
  const file = (rows: number) => {
    const path = join(temporaryFolder(), 'stream.csv')
    writeFileSync(
      path,
      `x,z,kind\n${Array.from({ length: rows }, (_, i) => `${Math.sin(i)},${Math.cos(i)},${Math.sin(i) > 0 ? 'yes' : 'no'}`).join('\n')}`,
    )
    return path
  }

  test('gives the batches of what readCsv reads, anew in each epoch', async () => {
    const path = file(10)
    const options: CsvStreamOptions = { label: 'kind', classNames: ['no', 'yes'], batchSize: 4, shape: [2, 1] }
    const whole = await readCsv(path, { label: 'kind', shape: [2, 1] })
    for (let epoch = 0; epoch < 2; epoch++) {
      const batches = []
      for await (const batch of streamCsv(path, options).epoch(epoch)) batches.push(batch as { x: typeof whole.x; y: typeof whole.y })
      expect(batches.map(({ x }) => x.shape)).toEqual([
        [4, 2, 1],
        [4, 2, 1],
        [2, 2, 1],
      ])
      expect(batches.flatMap(({ x }) => [...x.data])).toEqual([...whole.x.data])
      expect(batches.flatMap(({ y }) => [...y.data])).toEqual([...whole.y.data])
    }
  })

  test('teaches a network, and stands still where nobody reads on', async () => {
    const data = streamCsv(file(200), { label: 'kind', classNames: ['no', 'yes'], shuffle: 50 })
    const model = sequential({ input: [2], seed: 1 }, dense(2)).compile({
      optimizer: sgd({ learningRate: 1 }),
      loss: 'softmaxCrossEntropy',
      metrics: ['accuracy'],
    })
    await model.fit(data, { epochs: 10 })
    expect((await model.evaluate(data)).accuracy).toBeGreaterThan(0.95)
    expect(model.classNames).toEqual(['no', 'yes'])
    for await (const _ of data) break
  })

  test('needs the names of classes, and tells where a row is wrong', async () => {
    const read = async (options: CsvStreamOptions) => {
      for await (const _ of streamCsv(file(3), options));
    }
    await expect(read({ label: 'kind' })).rejects.toMatchObject({
      code: 'INVALID_LABEL',
      message: expect.stringMatching(/row 1: "no" is not a class number: give classNames/),
    })
    await expect(read({ label: 'x', columns: ['z'], classNames: ['0'] })).rejects.toMatchObject({
      message: expect.stringMatching(/row 2: "0.84/),
    })
    await expect(read({ targets: 'none' })).rejects.toMatchObject({ code: 'INVALID_FILE' })
    await expect(read({ targets: 'x', columns: ['z'], batchSize: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
