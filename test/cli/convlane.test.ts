import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io/safetensors'
import { weightsSha256 } from '../../lib/io/weights-hash'
import { loadNative } from '../../lib/native'
import { type Listener, listen } from '../dashboard/events'
import { convlane } from '../support/cli'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'
import { Random } from '../support/random'
import { readRun } from '../tensorboard/readEvents'

const version: string = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')).version
const quick = ['train', '--epochs', '1', '--variants', '1']
const lastLine = (text: string) => JSON.parse(text.trimEnd().split('\n').at(-1)!)

describe('train', () => {
  test('reaches 98 % on digits never seen, saves, and tells it as JSON; evaluate and predict agree', async () => {
    const cwd = temporaryFolder()
    const { code, stdout, stderr } = await convlane(['train', '--json'], { cwd })
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n').length).toBe(1)
    expect(stderr).toMatch(/epoch 5\/5 {2}loss 0\.\d{4} {2}accuracy 9\d\.\d\d % {2}[\d,]+ images\/s/)
    expect(stderr).toMatch(/accuracy on 360 images never seen: 9\d\.\d\d %\nsaved digits-lenet.safetensors\n\nTry next:/)
    const result = lastLine(stdout)
    expect(result).toMatchObject({ dataset: 'digits', model: 'lenet', params: 85_770, epochs: 5, stopped: false, seed: 1 })
    expect(result.testAccuracy).toBeGreaterThanOrEqual(0.98)
    // Softened by 0.1 over ten classes, labels have an entropy of 0.500.
    expect(result.trainLoss).toBeGreaterThan(0.5)
    expect(result.trainLoss).toBeLessThan(0.6)
    expect(result.testLoss).toBeLessThan(0.3)
    expect(result.imagesPerSecond).toBeGreaterThan(0)
    expect(result.seconds).toBeGreaterThan(0)
    expect(result.threads).toBeGreaterThanOrEqual(1)
    expect(['scalar', 'avx2', 'avx512', 'neon']).toContain(result.isa)
    expect(readdirSync(cwd)).toEqual(['digits-lenet.safetensors'])
    const { tensors } = await readSafetensors(join(cwd, 'digits-lenet.safetensors'))
    expect(result.weightsSha256).toBe(weightsSha256(tensors))

    const evaluated = await convlane(['evaluate', 'digits-lenet.safetensors', '--json'], { cwd })
    const { accuracy, loss, images, classes, confusionMatrix } = lastLine(evaluated.stdout)
    expect(classes[3]).toEqual({
      class: '3',
      support: expect.any(Number),
      precision: expect.any(Number),
      recall: expect.any(Number),
      f1: expect.any(Number),
    })
    const right = confusionMatrix.reduce((sum: number, row: number[], k: number) => sum + row[k]!, 0)
    expect(right / images).toBe(accuracy)
    const tables = (await convlane(['evaluate', 'digits-lenet.safetensors'], { cwd })).stdout
    expect(tables).toMatch(/^class +precision +recall +F1 +samples$/m)
    expect(tables).toMatch(/^is \\ taken for +0 +1/m)
    expect({ accuracy, loss, images }).toEqual({ accuracy: result.testAccuracy, loss: result.testLoss, images: 360 })

    const predicted = await convlane(['predict', 'digits-lenet.safetensors', '--json', '--index', '0', '1,2', '359'], { cwd })
    const guesses = predicted.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(guesses.map(({ index }) => index)).toEqual([0, 1, 2, 359])
    for (const { probabilities, class: best } of guesses) {
      expect(probabilities.length).toBe(10)
      expect(probabilities.reduce((sum: number, p: number) => sum + p, 0)).toBeCloseTo(1, 6)
      expect(best).toBe(probabilities.indexOf(Math.max(...probabilities)))
    }
    const shown = await convlane(['predict', 'digits-lenet.safetensors'], { cwd })
    expect(shown.stdout.match(/^image \d: \d \d+\.\d\d %, \d \d+\.\d\d %, \d \d+\.\d\d % {2}\(labelled \d(, wrong)?\)$/gm)?.length).toBe(10)
  }, 120_000)

  test('trains the other networks by their names, and goes on with what it saved', async () => {
    const cwd = temporaryFolder()
    // Enough steps for the running statistics, which follow by a hundredth each.
    const first = await convlane(['train', '--epochs', '9', '--variants', '1', '--model', 'vgg', '--lr', '0.02', '--json'], { cwd })
    expect(first.code).toBe(0)
    expect(lastLine(first.stdout)).toMatchObject({ model: 'vgg', params: 1_147_722, out: 'digits-vgg.safetensors' })
    const more = await convlane([...quick, '--model', 'digits-vgg.safetensors', '--lr', '0.01', '--json'], { cwd })
    expect(lastLine(more.stdout).testAccuracy).toBeGreaterThan(0.9)
  }, 120_000)

  test('trains each network of the zoo as its recipe says, on few images and on many, with options in between', async () => {
    const cwd = temporaryFolder()
    const mlp = await convlane(['train', '--model', 'mlp', '--json'], { cwd })
    expect(lastLine(mlp.stdout)).toMatchObject({
      model: 'mlp',
      params: 2260,
      optimizer: 'sgd',
      learningRate: 0.2,
      weightDecay: 0,
      epochs: 20,
    })
    expect(lastLine(mlp.stdout).testAccuracy).toBeGreaterThan(0.93)
    const other = await convlane([...quick, '--model', 'mlp', '--optimizer', 'adamw', '--schedule', 'steps', '--json'], { cwd })
    expect(lastLine(other.stdout)).toMatchObject({ optimizer: 'adamw', learningRate: 0.002, weightDecay: 0.01, schedule: 'steps' })
    const decay = await convlane([...quick, '--model', 'mlp', '--weight-decay', '0.1', '--schedule', 'constant', '--json'], { cwd })
    expect(lastLine(decay.stdout)).toMatchObject({ optimizer: 'sgd', learningRate: 0.2, weightDecay: 0.1, schedule: 'constant' })
    expect(lastLine(decay.stdout).weightsSha256).not.toBe(lastLine(mlp.stdout).weightsSha256)
  })

  test('takes some of the batches of CIFAR-10, and more classes than there are', async () => {
    const cwd = temporaryFolder()
    const random = new Random(3)
    const batch = (images: number) =>
      Buffer.concat(
        Array.from({ length: images }, (_, i) => Buffer.from([i % 10, ...Array.from({ length: 3072 }, () => random.whole(0, 255))])),
      )
    writeFileSync(join(cwd, 'data_batch_3.bin'), batch(20))
    writeFileSync(join(cwd, 'test_batch.bin'), batch(5))
    const argv = [...quick, '--data', cwd, '--model', 'resnet20', '--out', 'm', '--json']
    const { stdout } = await convlane(argv, { cwd })
    expect(lastLine(stdout)).toMatchObject({ model: 'resnet20', params: 269_722, weightDecay: 0.0001, epochs: 1 })
    const more = await convlane([...argv, '--classes', '12'], { cwd })
    expect(lastLine(more.stdout)).toMatchObject({ params: 269_722 + 2 * 65 })
    const evaluated = await convlane(['evaluate', 'm', '--data', cwd, '--json'], { cwd })
    expect(lastLine(evaluated.stdout)).toMatchObject({ images: 5 })
    const fewer = await convlane([...argv, '--classes', '9'], { cwd })
    expect([fewer.code, fewer.stderr]).toEqual([
      2,
      expect.stringMatching(/^convlane: --classes 9: .* has 10 \(see convlane train --help\)\n$/),
    ])
  })

  test('gives the same weights with one thread and with two, others with another seed', async () => {
    const cwd = temporaryFolder()
    const hash = async (...more: string[]) => lastLine((await convlane([...quick, '--json', ...more], { cwd })).stdout).weightsSha256
    const one = await hash('--threads', '1')
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(await hash('--threads', '2')).toBe(one)
    expect(await hash('--seed', '2')).not.toBe(one)
  })

  test('goes on with a saved model, which it then replaces', async () => {
    const cwd = temporaryFolder()
    const first = lastLine((await convlane([...quick, '--json', '--out', 'm'], { cwd })).stdout)
    const second = lastLine((await convlane([...quick, '--json', '--model', 'm', '--optimizer', 'sgd', '--lr', '0.01'], { cwd })).stdout)
    expect(second).toMatchObject({ model: 'm', out: 'm', params: first.params, optimizer: 'sgd', learningRate: 0.01 })
    expect(second.trainLoss).toBeLessThan(first.trainLoss)
    expect(second.weightsSha256).toBe(weightsSha256((await readSafetensors(join(cwd, 'm'))).tensors))
    const over = await convlane([...quick, '--model', 'm', '--out', 'n', '--checkpoint', 'm'], { cwd })
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('--model and --checkpoint are the same file, m')])
  })

  test('fits the network to the images and classes of a folder', async () => {
    const cwd = temporaryFolder()
    const images = (count: number) => ({
      'images-idx3': idxBytes([count, 9, 7]),
      'labels-idx1': idxBytes([count], { data: Uint8Array.from({ length: count }, (_, i) => i % 3) }),
    })
    for (const [part, count] of [
      ['train', 40],
      ['t10k', 6],
    ] as const) {
      for (const [name, bytes] of Object.entries(images(count))) writeFileSync(join(cwd, `${part}-${name}-ubyte`), bytes)
    }
    const { code, stdout } = await convlane([...quick, '--json', '--data', cwd, '--batch', '16', '--out', 'm'], { cwd })
    expect(code).toBe(0)
    expect(lastLine(stdout)).toMatchObject({ dataset: cwd, batchSize: 16, params: 320 + 51_264 + 2 * 64 * 128 + 128 + 128 * 3 + 3 })
  })

  test('tells TensorBoard what it does', async () => {
    const cwd = temporaryFolder()
    const { code, stdout } = await convlane([...quick, '--json', '--out', 'm', '--tensorboard', 'runs/first'], { cwd })
    expect(code).toBe(0)
    const [{ values }] = readRun(join(cwd, 'runs/first/train')) as [ReturnType<typeof readRun>[number]]
    const losses = values.filter(({ tag }) => tag === 'epoch_loss').map(({ step, scalar }) => [step, scalar])
    expect(losses).toEqual([[0, Math.fround(lastLine(stdout).trainLoss)]])
    const tags = new Set(values.map(({ tag }) => tag))
    for (const tag of ['batch_loss', 'inputs/15', 'conv2d/kernel', 'conv2d/kernel/gradient', 'conv2d/kernel/filters'])
      expect(tags).toContain(tag)
    writeFileSync(join(cwd, 'file'), '')
    const refused = await convlane([...quick, '--out', 'other', '--tensorboard', 'file'], { cwd })
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^convlane: cannot write file.*not a directory \(FILE_ERROR\)\n$/),
    ])
    expect(existsSync(join(cwd, 'other'))).toBe(false)
  })

  test('shows a page on which to watch, until it is stopped', async () => {
    const cwd = temporaryFolder()
    let seen: Promise<Listener> | undefined
    const { code, stderr } = await convlane(
      ['train', '--epochs', '500', '--variants', '1', '--out', 'm', '--dashboard', '0', '--threads', '1'],
      {
        cwd,
        onOutput: (text, child) => {
          const url = /watch it at (http:.*)\n/.exec(text)?.[1]
          if (url === undefined) return
          seen = listen(`${url}events`)
          seen.then(({ next }) => next('maps')).finally(() => child.kill('SIGINT'))
        },
      },
    )
    expect([code, stderr]).toEqual([130, ''])
    const { events, ended } = (await seen)!
    await ended
    expect(events.find(({ name }) => name === 'state')!.data.run).toMatchObject({ title: 'lenet on digits', epochs: 500 })
    expect(events.find(({ name }) => name === 'inputs')!.data.length).toBe(8)
    expect(events.at(-1)).toEqual({ name: 'end', data: { why: 'aborted' } })
  })

  test('runs on the reference runtime', async () => {
    const cwd = temporaryFolder()
    const dir = temporaryFolder()
    for (const [part, count] of [
      ['train', 8],
      ['t10k', 2],
    ] as const) {
      writeFileSync(join(dir, `${part}-images-idx3-ubyte`), idxBytes([count, 4, 4]))
      writeFileSync(join(dir, `${part}-labels-idx1-ubyte`), idxBytes([count], { data: new Uint8Array(count) }))
    }
    const { code, stdout } = await convlane([...quick, '--json', '--data', dir, '--runtime', 'reference'], { cwd })
    expect(code).toBe(0)
    expect(lastLine(stdout)).toMatchObject({ runtime: 'reference', isa: 'none', epochs: 1 })
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops after a step, saves, and gives exit code %d', async (signal, exitCode) => {
    const cwd = temporaryFolder()
    const { code, stdout, stderr } = await convlane(['train', '--epochs', '500', '--variants', '1', '--out', 'm'], {
      cwd,
      onOutput: (text, child) => {
        if (!child.killed && text.includes('epoch ')) child.kill(signal) // a second one, a second later, ends it at once
      },
    })
    expect(stderr).toBe('')
    expect(code).toBe(exitCode)
    expect(stdout).toMatch(/stopping after this step …\n(epoch.*\n)?saved m\n$/)
    const evaluated = await convlane(['evaluate', 'm', '--json'], { cwd })
    expect(lastLine(evaluated.stdout)).toMatchObject({ images: 360, accuracy: expect.any(Number) })
  })

  test('tells how far it came when it was stopped, as JSON', async () => {
    const cwd = temporaryFolder()
    const trains = 'until grep -q "^epoch " log || ! kill -0 $pid; do sleep 0.05; done'
    const shell = `"$@" 2> log & pid=$!; ${trains}; kill -INT $pid; kill -INT $pid; wait $pid`
    const { code, stdout } = await convlane(['train', '--epochs', '5000', '--variants', '1', '--json', '--out', 'm'], { cwd, shell })
    expect(code).toBe(130)
    expect(lastLine(stdout)).toMatchObject({ stopped: true, testAccuracy: null, out: 'm' })
    expect(existsSync(join(cwd, 'm'))).toBe(true)
  })

  test('saves what it has learnt when the disk is too full for TensorBoard', async () => {
    const cwd = temporaryFolder()
    const argv = ['train', '--model', 'mlp', '--epochs', '20', '--variants', '1', '--out', 'm', '--tensorboard', 'runs']
    const { code, stdout, stderr } = await convlane(argv, { cwd, shell: `trap '' XFSZ; ulimit -f 100; exec "$@"` })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.match(/^--tensorboard: cannot write runs\/train\/\S+: the file would be too large: nothing more.*$/gm)).toHaveLength(1)
    expect(stdout).toContain('\nsaved m\n')
    expect(readdirSync(cwd).sort()).toEqual(['m', 'runs'])
  })

  test('keeps the old model when the disk is full', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'm'), 'the old model')
    // Files may have 100 blocks of 512 bytes; the signal that says so is ignored, so that writing fails as on a full disk.
    const shell = `trap '' XFSZ; ulimit -f 100; exec "$@"`
    const { code, stderr } = await convlane([...quick, '--out', 'm'], { cwd, shell })
    expect(code).toBe(1)
    expect(stderr).toBe('convlane: cannot write m: the file would be too large (FILE_ERROR)\n')
    expect(readFileSync(join(cwd, 'm'), 'utf8')).toBe('the old model')
    expect(readdirSync(cwd)).toEqual(['m'])
  })
})

describe('info', () => {
  test('tells what the machine computes with', async () => {
    const { code, stdout } = await convlane(['info', '--json'], { cwd: temporaryFolder() })
    expect(code).toBe(0)
    const facts = lastLine(stdout)
    expect(facts).toEqual({
      version,
      isa: expect.stringMatching(/^(scalar|avx2|avx512|neon)$/),
      isaAvailable: expect.arrayContaining([facts.isa, 'scalar']),
      cpuFeatures: loadNative().cpuFeatures(),
      threads: expect.any(Number),
      binding: expect.stringMatching(/\.node$/),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    })
  })

  test('obeys CONVLANE_ISA, and says what the machine has when it cannot', async () => {
    const cwd = temporaryFolder()
    const scalar = await convlane(['info', '--json'], { cwd, env: { CONVLANE_ISA: 'scalar' } })
    expect(lastLine(scalar.stdout).isa).toBe('scalar')
    const wrong = await convlane(['info', '--json'], { cwd, env: { CONVLANE_ISA: 'mmx' } })
    expect(wrong.code).toBe(1)
    expect(lastLine(wrong.stdout)).toMatchObject({ version, isa: null, binding: null, error: expect.stringContaining('mmx') })
  })
})

describe('what cannot be done', () => {
  test.each<[string[], number, RegExp]>([
    [[], 2, /^convlane COMMAND \[options\]/],
    [['trian'], 2, /^convlane: unknown command "trian", did you mean train\? \(see convlane --help\)\n$/],
    [['train', '--epoch', '3'], 2, /^convlane: unknown option --epoch, did you mean --epochs\? \(see convlane train --help\)\n$/],
    [['train', '--lr', '0'], 2, /^convlane: --lr must be a number above 0, received "0"/],
    [['train', '--resume'], 2, /^convlane: --resume needs --checkpoint FILE \(see convlane train --help\)\n$/],
    [['train', '--every', '3'], 2, /^convlane: --every needs --checkpoint FILE/],
    [['train', '--checkpoint', 'c', '--every', '0'], 2, /^convlane: --every must be a whole number of at least 1/],
    [['train', '--checkpoint', 'none/c'], 1, /^convlane: cannot write none\/c: no such file or directory \(FILE_ERROR\)\n$/],
    [['train', '--dashboard', 'x'], 2, /^convlane: --dashboard must be a whole number from 0 to 65535, received "x"/],
    [['train', '--dashboard', '--dashboard-host'], 2, /^convlane: --dashboard-host needs a value: --dashboard-host HOST/],
    [['train', '--dashboard-host', '::1'], 2, /^convlane: --dashboard-host needs --dashboard/],
    [
      ['train', '--dashboard=0', '--dashboard-host', '203.0.113.1'],
      1,
      /^convlane: dashboard: 203.0.113.1 is no address of this machine \(PORT_ERROR\)\n$/,
    ],
    [['train', '--threads', '0'], 2, /^convlane: --threads must be a whole number from 1 to 1024/],
    [['train', '--runtime', 'gpu'], 2, /^convlane: --runtime must be native or reference, received "gpu"/],
    [['train', '--data', 'none'], 1, /^convlane: cannot read none: no such file or directory \(FILE_ERROR\)\n$/],
    [['train', '--data', '.'], 1, /^convlane: \.: holds no data set.*\(FILE_ERROR\)\n$/],
    [['train', '--out', 'none/m'], 1, /^convlane: cannot write none\/m: no such file or directory \(FILE_ERROR\)\n$/],
    [['train', '--out', '.'], 1, /^convlane: cannot write \.: it is a directory \(FILE_ERROR\)\n$/],
    [
      ['train', '--out', 'm', '--checkpoint', './m'],
      2,
      /^convlane: --out and --checkpoint are the same file, \.\/m \(see convlane train --help\)\n$/,
    ],
    [['train', '--checkpoint', 'm', '--report', 'm'], 2, /^convlane: --checkpoint and --report are the same file, m/],
    [['train', '--report', 'digits-lenet.safetensors'], 2, /^convlane: --out and --report are the same file, digits-lenet/],
    [['report', 'text', '--out', 'text'], 2, /^convlane: MODEL and --out are the same file, text \(see convlane report --help\)\n$/],
    [['train', '--variants', '1000000000'], 1, /^convlane: variants: no memory for 91968000000000 elements \(OUT_OF_MEMORY\)\n$/],
    [
      ['train', '--variants', '1', '--model', 'mlp', '--classes', '1000000000'],
      1,
      /^convlane: train: no memory for 1437000000000 elements \(OUT_OF_MEMORY\)\n$/,
    ],
    [['train', '--weight-decay', '-1'], 2, /^convlane: --weight-decay must be a number of at least 0, received "-1"/],
    [['train', '--schedule', 'cosin'], 2, /^convlane: --schedule must be cosine or steps or constant, received "cosin"/],
    [['train', '--model', 'none'], 1, /^convlane: cannot read none: no such file.*; the networks are mlp, lenet, .*\(FILE_ERROR\)\n$/],
    [['train', '--model', 'resnet-20'], 1, /^convlane: cannot read resnet-20: no such file.*; did you mean resnet20\?/],
    [
      ['train', '--model', 'nielsen'],
      1,
      /^convlane: nielsen: takes images of at least 16 x 16 pixels, received 8 x 8 \(INVALID_SHAPE\)\n$/,
    ],
    [['train', '--model', 'text', '--classes', '3'], 2, /^convlane: --classes is for a new network/],
    [['evaluate'], 2, /^convlane: MODEL is missing/],
    [['evaluate', 'none'], 1, /^convlane: cannot read none: no such file/],
    [['evaluate', 'text'], 1, /^convlane: text: not a safetensors file.*\(INVALID_FILE\)\n$/],
    [['predict', 'none', '3'], 1, /^convlane: cannot read none: no such file/],
    [['predict', 'text', 'a.png', '--data', 'digits'], 2, /^convlane: --data is for a data set, not for image files/],
    [['train', '--size', '0'], 2, /^convlane: --size must be a number or HEIGHTxWIDTH/],
    [['train', '--size', '8'], 2, /^convlane: --size is for a folder of images, digits is none/],
    [['train', '--split', '1'], 2, /^convlane: --split must be above 0 and below 1, received "1"/],
    [['train', '--broken', 'no'], 2, /^convlane: --broken must be stop or skip, received "no"/],
    [['info', 'all'], 2, /^convlane: unexpected argument "all"/],
  ])('%j: exit code %d', async (argv, exitCode, message) => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'text'), 'this is no model at all')
    const { code, stdout, stderr } = await convlane(argv, { cwd })
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(code).toBe(exitCode)
    expect(readdirSync(cwd)).toEqual(['text'])
  })

  test('comes with a stack when CONVLANE_DEBUG is set', async () => {
    const { stderr } = await convlane(['evaluate', 'none'], { cwd: temporaryFolder(), env: { CONVLANE_DEBUG: '1' } })
    expect(stderr).toMatch(/^convlane: cannot read none.*\nConvlaneError: .*\n {4}at /)
  })
})

test.each([['--help'], ['help'], ['train', '--help'], ['evaluate', '-h'], ['predict', '--help'], ['info', '--help']])(
  '%s %s prints a help',
  async (...argv) => {
    const { code, stdout, stderr } = await convlane(argv.filter(Boolean), { cwd: temporaryFolder() })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^convlane \w+/)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(150)
  },
)

test('--version prints the version', async () => {
  expect((await convlane(['--version'], { cwd: temporaryFolder() })).stdout).toBe(`${version}\n`)
})
