import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './programs.cjs'

const prelude = `
const { native, regression, heavy, binary } = require(${JSON.stringify(join(root, 'test/native/programs.cjs'))})
const { Worker } = require('node:worker_threads')
const { readdirSync } = require('node:fs')
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
function start(sample, scalars = { learningRate: 0.01 }) {
  const state = native.createState(sample.stateElements)
  const program = native.createProgram(sample.spec, state)
  const inputs = sample.spec.inputs.map(({ shape }) => ({ data: new Float32Array(shape[0] * shape[1]).map((_, i) => Math.cos(i)) }))
  return { state, program, run: () => program.run({ n: sample.spec.capacity, inputs, scalars }) }
}
`

/** Runs a script in a process of its own; the limit is only there to end a process that hangs. */
function run(script: string, flags: readonly string[] = []) {
  return new Promise<{ status: number | null; signal: string | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [...flags, '-e', prelude + script], { timeout: 120_000, killSignal: 'SIGKILL' })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}

async function expectOutput(script: string, stdout: string, flags?: readonly string[]) {
  expect(await run(script, flags)).toMatchObject({ status: 0, signal: null, stdout })
}

const limit = { timeout: 150_000 }

describe('the process', limit, () => {
  test('ends by process.exit in the middle of a step, on both lanes', async () => {
    const result = await run(`
      for (const lane of ['train', 'infer']) {
        const { run, state } = start(heavy(2000, { lane, update: lane === 'train' }))
        run(); run(); state.read(0, 10)
      }
      setTimeout(() => process.exit(7), 50)`)
    expect(result).toEqual({ status: 7, signal: null, stdout: '', stderr: '' })
  })

  test('ends by process.exit before a step has begun', async () => {
    expect(await run(`start(heavy(2000)).run(); process.exit(3)`)).toMatchObject({ status: 3, signal: null })
  })

  test('ends by an uncaught exception in the middle of a step', async () => {
    const result = await run(`start(heavy(2000)).run(); setTimeout(() => { throw new Error('on purpose') }, 50)`)
    expect(result).toMatchObject({ status: 1, signal: null, stderr: expect.stringContaining('on purpose') })
  })

  test('ends by a signal in the middle of a step, as any process does', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
      const result = await run(`start(heavy(2000)).run(); setTimeout(() => process.kill(process.pid, '${signal}'), 50)`)
      expect(result).toEqual({ status: null, signal, stdout: '', stderr: '' })
    }
  })

  test('hears a signal in the middle of a step, and ends as its handler says', async () => {
    const result = await run(`
      start(heavy(2000)).run()
      process.on('SIGTERM', () => { console.log('heard'); process.exit(9) })
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50)`)
    expect(result).toEqual({ status: 9, signal: null, stdout: 'heard\n', stderr: '' })
  })

  test('waits for a run, and for nothing when none is under way', async () => {
    await expectOutput(`const { run } = start(heavy(20)); run().then(() => console.log('done'))`, 'done\n')
    await expectOutput(`const { run } = start(regression()); run().then(() => run()).then(() => console.log('twice'))`, 'twice\n')
    await expectOutput(`start(regression()); native.setThreads(4); console.log('idle')`, 'idle\n')
  })

  test('gets a rejection when a handler throws, like any promise', async () => {
    const result = await run(`start(regression()).run().then(() => { throw new Error('in then') })`)
    expect(result).toMatchObject({ status: 1, signal: null, stderr: expect.stringContaining('in then') })
  })
})

const train = `
  const { parentPort } = require('node:worker_threads')
  const { run, state } = start(regression(16))
  ;(async () => {
    for (let i = 0; i < 20; i++) await run()
    parentPort.postMessage(Array.from(await state.read(0, 24)))
  })()`

describe('worker threads', limit, () => {
  test('load, train and are terminated again and again; their threads go with them', async () => {
    await expectOutput(
      `
      const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0) // elsewhere the bytes alone are compared
      const source = ${JSON.stringify(prelude)} + "start(heavy(500)).run(); start(heavy(500, { lane: 'infer' })).run(); start(regression()).state.read(0, 1); require('node:worker_threads').parentPort.postMessage(0)"
      const once = async (delay) => {
        const worker = new Worker(source, { eval: true })
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
        await sleep(delay)
        await worker.terminate()
      }
      ;(async () => {
        const own = start(heavy(1))
        await own.run()
        own.program.dispose()
        own.state.dispose()
        const before = native.memory()
        await once(0)
        const few = threads()
        for (let i = 0; i < 10; i++) await once(i % 4 * 3)
        await Promise.all([once(1), once(5), once(9)])
        for (let i = 0; i < 500 && threads() > few; i++) await sleep(10)
        const after = native.memory()
        console.log(threads() <= few, after.arenaBytes === before.arenaBytes, after.stateBytes === before.stateBytes, after.stagingBytes === before.stagingBytes)
      })()`,
      'true true true true\n',
    )
  })

  test('train at the same time, with the results of one alone', async () => {
    await expectOutput(
      `
      const source = ${JSON.stringify(prelude + train)}
      const one = () => new Promise((resolve, reject) => new Worker(source, { eval: true }).once('message', resolve).once('error', reject))
      ;(async () => {
        const alone = JSON.stringify(await one())
        const together = await Promise.all(Array.from({ length: 4 }, one))
        console.log(together.every((weights) => JSON.stringify(weights) === alone))
      })()`,
      'true\n',
    )
  })

  test('may be the only ones that load the addon', async () => {
    const script = `
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(${JSON.stringify(prelude + train)}, { eval: true })
      worker.once('message', () => console.log('trained'))
      worker.once('exit', () => setTimeout(() => console.log('ended'), 100))`
    const child = await new Promise<string>((resolve) => {
      const own = spawn(process.execPath, ['-e', script], { timeout: 120_000 })
      let output = ''
      own.stdout.on('data', (data) => {
        output += data
      })
      own.on('close', (status, signal) => resolve(`${output}${status} ${signal}`))
    })
    expect(child).toBe('trained\nended\n0 null')
  })

  test('end the process by process.exit in one of them', async () => {
    expect(
      await run(`
      const source = ${JSON.stringify(prelude)} + "start(heavy(2000)).run(); setTimeout(() => process.exit(0), 30)"
      start(heavy(2000)).run()
      new Worker(source, { eval: true }).once('exit', () => process.exit(5))`),
    ).toMatchObject({ status: 5, signal: null })
  })
})

describe('a worker thread', limit, () => {
  test('that fails in the middle of a step leaves the others alone', async () => {
    await expectOutput(
      `
      const source = ${JSON.stringify(prelude)} + "start(heavy(2000)).run(); setTimeout(() => { throw new Error('on purpose') }, 30)"
      const own = start(regression())
      new Worker(source, { eval: true }).once('error', async ({ message }) => {
        await own.run()
        console.log(message)
      })`,
      'on purpose\n',
    )
  })
})

describe('garbage collection', limit, () => {
  test('frees programs and states that were not disposed', async () => {
    await expectOutput(
      `
      const bytes = () => { const { arenaBytes, stateBytes, stagingBytes } = native.memory(); return arenaBytes + stateBytes + stagingBytes }
      ;(async () => {
        for (let i = 0; i < 100; i++) await start(regression()).run()
        for (let i = 0; i < 100 && bytes() > 0; i++) { gc(); await sleep(5) }
        console.log(bytes())
      })()`,
      '0\n',
      ['--expose-gc'],
    )
  })

  test('keeps a program alive while it runs', async () => {
    await expectOutput(
      `
      (async () => {
        let pending = start(heavy(5)).run()
        for (let i = 0; i < 5; i++) { gc(); await sleep(1) }
        console.log((await pending)[0][0])
      })()`,
      '1\n',
      ['--expose-gc'],
    )
  })

  test('is driven by native bytes', async () => {
    await expectOutput(
      `
      (async () => {
        let most = 0
        for (let i = 0; i < 1000; i++) {
          native.createState(1 << 20)
          most = Math.max(most, native.memory().stateBytes)
          await new Promise(setImmediate)
        }
        console.log(most < 500 * 2 ** 22)
      })()`,
      'true\n',
    )
  })
})
