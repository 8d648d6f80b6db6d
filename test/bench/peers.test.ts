import { expect, test } from 'vitest'
import { Comparison, ratios } from '../../bench/comparison'
import { summarize } from '../../bench/measure'
import { Absent, Driver } from '../../bench/peers/driver'
import { startPeer, takes } from '../../bench/peers/list'
import { convolutionModel } from '../../bench/peers/onnxruntime/model'
import type { Row } from '../../bench/row'

const node = (script: string) => [process.execPath, '-e', script]
const echo = `
  console.log('{"version":"Echo ' + process.env.OMP_NUM_THREADS + '"}')
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    console.log(JSON.stringify(line === 'fail' ? { error: 'as told' } : { contenders: [{ fmt: line, algo: 'echo' }] }))
  })`

test('a driver is told one order after another, and what it refuses is an error that names both', async () => {
  const driver = await Driver.start('echo', node(echo), 3)
  expect(driver.version).toBe('Echo 3')
  expect(await driver.ask('open one')).toEqual({ contenders: [{ fmt: 'open one', algo: 'echo' }] })
  await expect(driver.ask('fail')).rejects.toThrow('echo: fail: as told')
  expect((await driver.ask('open two')).contenders![0]!.fmt).toBe('open two')
  driver.close()
  await expect(driver.ask('open three')).rejects.toThrow('its driver ended')
})

const peer = (command: () => readonly string[]) => ({
  name: 'other',
  does: ['gemm', 'conv fwd'],
  install: 'apt-get install other',
  command,
})

test.each([
  ['a program that is not there', () => ['/nowhere/driver'], 'ENOENT'],
  ['one that ends at once', () => node('console.error("first\\nno such library"); process.exit(1)'), 'no such library'],
  ['one that ends without a word', () => node(''), 'its driver ended without a word'],
  [
    'one that cannot be built',
    () => {
      throw new Error('no compiler')
    },
    'no compiler',
  ],
])('%s: absent, with the command that installs it', async (_name, command, reason) => {
  const failure = await startPeer(peer(command), 1).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Absent)
  expect((failure as Absent).message).toMatch(/^other: absent \(.*\)\. To install it: apt-get install other$/s)
  expect((failure as Absent).message).toContain(reason)
})

test('a peer is asked for what it does', () => {
  const orders = ['gemm fwd 1 2 3', 'conv fwd 1 2', 'conv bwd_d 1 2', 'pool fwd 1', 'gemms fwd']
  expect(
    orders.map((order) =>
      takes(
        peer(() => []),
        order,
      ),
    ),
  ).toEqual([true, true, false, false, false])
})

test('comparisons go by the median of the least times of the rounds', () => {
  expect(summarize([[5, 4], [1, 9], [3], [6, 7], [8, 2]])).toEqual({ min_ms: 1, median_ms: 5, round_ms: 3, reps: 9 })
})

const row = (peer: string, fmt: string, algo: string, round_ms: number, chosen = false): Row => {
  const times = { min_ms: round_ms, median_ms: round_ms, reps: 5, round_ms }
  return { kind: 'conv', peer, threads: 1, item: 'c', fmt, pass: 'fwd', algo, ...times, chosen }
}

test('ratios: the best way of each column, by what convlane takes by itself', () => {
  const rows = [
    { ...row('convlane', 'nhwc', 'winograd6', 2, true), of_limit: 2.5 },
    row('convlane', 'nhwc', 'indirect', 1),
    row('onednn', 'nhwc', 'brgconv', 6),
    row('onednn', 'any', 'jit', 5),
    row('onednn', 'nChw16c', 'jit', 4),
    row('onednn', 'any', 'jit_wino', 3),
    row('onnxruntime', 'nchw', 'default', 8),
  ]
  expect(ratios(rows)).toEqual({ 'onednn nhwc': 3, 'onednn other': 2, 'onednn winograd': 1.5, onnxruntime: 4 })
  const table = new Comparison('conv')
  expect(table.header()).toMatch(/^item +pass +algo +ms +of the limit +onednn nhwc +onednn other +onednn winograd +onnxruntime$/)
  expect(table.add(rows)).toMatch(/^c +fwd +winograd6 +2.000 +250 % +3.00 +2.00 +1.50 +4.00$/)
  expect(table.add([row('convlane', 'nhwc', 'indirect', 1, true), row('onednn', 'nhwc', 'brgconv', 12)])).toMatch(/1.000 +12.00$/)
  expect(table.summary()).toMatch(/^geometric mean +6.00 +2.00 +1.50 +4.00\nleast +3.00 +2.00 +1.50 +4.00$/)
})

/** Fields of a protocol buffer: number, and the value or the bytes. */
function* fields(data: Uint8Array): Generator<[number, number | Uint8Array]> {
  let at = 0
  const varint = () => {
    let [value, scale] = [0, 1]
    while (data[at]! >= 128) {
      value += (data[at++]! - 128) * scale
      scale *= 128
    }
    return value + data[at++]! * scale
  }
  while (at < data.length) {
    const key = varint()
    if (key % 8 === 0) yield [key >> 3, varint()]
    else {
      const length = varint()
      yield [key >> 3, data.subarray(at, at + length)]
      at += length
    }
  }
}

test('the ONNX model of a convolution', () => {
  const data = Float32Array.from({ length: 300 * 2 * 3 * 3 }, (_, i) => i)
  const bias = new Float32Array(300)
  const model = convolutionModel({
    x: [1, 2, 8, 8],
    w: { dims: [300, 2, 3, 3], data },
    bias,
    y: [1, 300, 8, 8],
    stride: 1,
    pad: 1,
    groups: 1,
  })
  const graph = [...fields(model)].find(([field]) => field === 7)![1] as Uint8Array
  const message = (number: number) => [...fields([...fields(graph)].find(([field]) => field === number)![1] as Uint8Array)]
  const [node, w] = [message(1), message(5)]
  const texts = node.filter(([field]) => field <= 4).map(([, text]) => Buffer.from(text as Uint8Array).toString())
  expect(texts).toEqual(['x', 'w', 'b', 'y', 'Conv'])
  expect(w.filter(([field]) => field === 1).map(([, size]) => size)).toEqual([300, 2, 3, 3])
  const raw = w.find(([field]) => field === 9)![1] as Uint8Array
  expect(new Float32Array(Uint8Array.from(raw).buffer)).toEqual(data)
})
