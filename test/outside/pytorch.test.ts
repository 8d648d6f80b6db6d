import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  add,
  batchNorm,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dense,
  depthwiseConv2d,
  exportPytorch,
  flatten,
  globalAveragePool2d,
  groupNorm,
  importPytorch,
  input,
  instanceNorm,
  layerNorm,
  type Model,
  maxPool2d,
  type Node,
  network,
  prelu,
  readSafetensors,
  relu,
  rnn,
  sequential,
  type Tensor,
} from '../../lib/index'

const script = join(__dirname, 'torch_nets.py')
const run = promisify(execFile)

/** A Python that has PyTorch (`apt-get install python3-torch`). */
const python = (process.env.PYTHON ? [process.env.PYTHON] : ['python3', '/usr/bin/python3']).find((command) => {
  return spawnSync(command, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0
})

/** The layers of torchvision's resnet18, by its names. */
function resnet18(shape: readonly [number, number, number], width: number, classes: number): Model {
  const conv = (x: Node<4>, name: string, filters: number, size: number, stride: number) =>
    conv2d(filters, size, { name, stride, padding: Math.floor(size / 2), bias: false }).apply(x)
  const norm = (x: Node<4>, name: string, activation: 'relu' | 'linear') =>
    batchNorm({ name, epsilon: 1e-5, momentum: 0.9, activation }).apply(x)
  const image: Node<4> = input(shape)
  let x: Node<4> = maxPool2d(3, { stride: 2, padding: 1 }).apply(norm(conv(image, 'conv1', width, 7, 2), 'bn1', 'relu'))
  for (const [stage, factor] of [1, 2, 4, 8].entries()) {
    for (const block of [0, 1]) {
      const name = `layer${stage + 1}.${block}`
      const stride = stage > 0 && block === 0 ? 2 : 1
      const first = norm(conv(x, `${name}.conv1`, factor * width, 3, stride), `${name}.bn1`, 'relu')
      const residual = norm(conv(first, `${name}.conv2`, factor * width, 3, 1), `${name}.bn2`, 'linear')
      const shortcut = stride === 1 ? x : norm(conv(x, `${name}.downsample.0`, factor * width, 1, stride), `${name}.downsample.1`, 'linear')
      x = relu().apply(add().apply(residual, shortcut))
    }
  }
  return network({ inputs: image, outputs: dense(classes, { name: 'fc' }).apply(globalAveragePool2d().apply(x)) }) as Model
}

const epsilon = 1e-5
const models: Record<string, () => Model> = {
  resnet18: () => resnet18([64, 48, 3], 8, 10),
  images: () =>
    sequential(
      { input: [7, 7, 4] },
      conv2d(6, [3, 2], { name: 'grouped', groups: 2 }),
      depthwiseConv2d(2, { name: 'depthwise', depthMultiplier: 2 }),
      convTranspose2d(6, 3, { name: 'up', stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
      groupNorm(2, { name: 'group', epsilon }),
      instanceNorm({ name: 'instance', epsilon }),
      prelu({ name: 'slopes' }),
      prelu({ name: 'slope', sharedAxes: [1, 2, 3] }),
      layerNorm({ name: 'whole', axes: 3, epsilon }),
      flatten(),
      batchNorm({ name: 'bn', epsilon }),
      layerNorm({ name: 'layer', epsilon }),
      dense(5, { name: 'fc' }),
    ) as Model,
  sequences: () =>
    sequential(
      { input: [7, 3] },
      conv1d(4, 3, { name: 'conv', padding: 'same' }),
      convTranspose1d(5, 2, { name: 'up', stride: 2 }),
      rnn(6, { name: 'rnn', all: true }),
      layerNorm({ name: 'norm', axes: 2, epsilon }),
      flatten(),
      dense(3, { name: 'fc' }),
    ) as Model,
  volumes: () =>
    sequential(
      { input: [3, 4, 5, 2] },
      conv3d(3, 2, { name: 'conv' }),
      convTranspose3d(2, [2, 1, 2], { name: 'up', stride: 2 }),
      flatten(),
      dense(3, { name: 'fc' }),
    ) as Model,
}

describe.skipIf(!python)('beside PyTorch (skipped where no python3 has it)', () => {
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'convlane-torch-'))
    await run(python!, [script, 'make', folder])
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(Object.entries(models))('%s: with its weights, the same results', async (name, make) => {
    const model = make()
    expect(await importPytorch(model, join(folder, `${name}.safetensors`))).toEqual({ unused: [] })
    const { x, y } = (await readSafetensors(join(folder, `${name}.case`))).tensors as Record<'x' | 'y', Tensor>
    const found = await model.predict(x as never)
    expect(found.shape).toEqual(y.shape)
    const largest = y.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const off = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - found.data[i]!)), 0)
    expect(off / largest).toBeLessThan(1e-4)
    await exportPytorch(model, join(folder, `${name}.back`))
  })

  test('what is written loads there, bit for bit', async () => {
    expect((await run(python!, [script, 'check', folder])).stdout).toBe('the same\n')
  })

  test('float16 and bfloat16 become the same numbers, all 65536 of each', async () => {
    const [short, wide] = [await readSafetensors(join(folder, 'short')), await readSafetensors(join(folder, 'wide'))]
    for (const name of ['half', 'brain']) expect([...short.tensors[name]!.data], name).toEqual([...wide.tensors[name]!.data])
  })
})
