import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { State } from '../../binding'
import { settledMemory } from '../support/nativeMemory'
import { heavy, native, product, root } from './programs.cjs'

const code = (name: string) => expect.objectContaining({ code: name })
const made: State[] = []
const keep = (state: State) => {
  made.push(state)
  return state
}
afterEach(() => {
  for (const state of made.splice(0)) state.dispose()
})

describe('a shared state', () => {
  test('has one id, and every handle of it is the same memory', async () => {
    const before = (await settledMemory()).stateBytes
    const first = keep(native.createState(64))
    const id = first.share()
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(first.share()).toBe(id)
    const second = keep(native.adoptState(id))
    expect(second.elements).toBe(64)
    expect(second.share()).toBe(id)
    expect(native.memory().stateBytes).toBe(before + 256)
    await first.write(3, Float32Array.of(1, 2, 3))
    expect(await second.read(2, 5)).toEqual(Float32Array.of(0, 1, 2, 3, 0))
    await second.write(0, Float32Array.of(7))
    expect(await first.read(0, 1)).toEqual(Float32Array.of(7))
  })

  test('lives as long as one handle; the last one frees it, and its id with it', async () => {
    const before = (await settledMemory()).stateBytes
    const first = keep(native.createState(1000))
    const id = first.share()
    await first.write(0, new Float32Array(1000).fill(5))
    const second = keep(native.adoptState(id))
    first.dispose()
    expect(() => first.share()).toThrow(code('DISPOSED'))
    const third = keep(native.adoptState(id))
    second.dispose()
    expect(await third.read(999, 1)).toEqual(Float32Array.of(5))
    expect(native.memory().stateBytes).toBe(before + 4000)
    third.dispose()
    third.dispose()
    expect(native.memory().stateBytes).toBe(before)
    expect(() => native.adoptState(id)).toThrow(code('DISPOSED'))
  })

  test('stays until work under way is done', async () => {
    const before = (await settledMemory()).stateBytes
    const { stateElements, spec } = heavy(20, { update: true })
    const state = keep(native.createState(stateElements))
    const id = state.share()
    const program = native.createProgram(spec, state)
    const run = program.run({ n: 1, inputs: [], scalars: { learningRate: 1 } })
    program.dispose()
    state.dispose()
    const again = keep(native.adoptState(id))
    await run
    expect(await again.read(0, 2)).toEqual(Float32Array.of(1, 1))
    again.dispose()
    expect(native.memory().stateBytes).toBe(before)
  })

  test.each([
    ['INVALID_ARGUMENT', [undefined, null, 7, 7n, {}, [], '', 'x', 'a'.repeat(31), 'a'.repeat(33), 'A'.repeat(32), `${'a'.repeat(31)}\0`]],
    ['DISPOSED', ['a'.repeat(32), '0123456789abcdef0123456789abcdef']],
  ])('%s for an id that is none', (name, ids) => {
    for (const id of ids) expect(() => native.adoptState(id as string)).toThrow(code(name))
  })

  test('gives no two states one id', () => {
    const ids = Array.from({ length: 200 }, () => keep(native.createState(1)).share())
    expect(new Set(ids).size).toBe(200)
  })

  test('is checked against by the programs of each handle', () => {
    const state = keep(native.adoptState(keep(native.createState(100)).share()))
    expect(() => native.createProgram(product(1), state)).toThrow(code('INVALID_STEP'))
  })

  test('keeps what programs prepare once for all handles, and anew after each change through any', async () => {
    const first = keep(native.createState(256))
    const second = keep(native.adoptState(first.share()))
    const one = native.createProgram(product(4), first)
    const { arenaBytes } = await settledMemory()
    const other = native.createProgram(product(4), second)
    expect(native.memory().arenaBytes).toBe(arenaBytes)
    const ones = { n: 1, inputs: [{ data: new Float32Array(16).fill(1) }] }
    for (const [at, state] of [first, second, first].entries()) {
      await state.write(0, new Float32Array(256).fill(at + 1))
      for (const program of [one, other, one]) expect(await program.run(ones)).toEqual([new Float32Array(16).fill(32 * (at + 1))])
    }
    one.dispose()
    expect(await other.run(ones)).toEqual([new Float32Array(16).fill(96)])
    other.dispose()
  })
})

/** Workers, half of which are terminated in the middle of a run. */
const WORKERS = Number(process.env.CONVLANE_WORKERS ?? 16)

const prelude = `
const { native, heavy, product } = require(${JSON.stringify(join(root, 'test/native/programs.cjs'))})
const { Worker, parentPort, workerData } = require('node:worker_threads')
const { existsSync, readdirSync } = require('node:fs')
`

/** Runs a script in a process of its own; the limit is only there to end a process that hangs. */
function run(script: string): Promise<{ status: number | null; signal: string | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--expose-gc', '-e', prelude + script], { timeout: 300_000, killSignal: 'SIGKILL' })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}

describe('workers', { timeout: 600_000 }, () => {
  test('predict by a state that another thread trains, and see whole steps only', async () => {
    // Four updates add one each to all elements: any state between steps has elements that are alike, and a multiple of four. All go on, until each worker has
    // seen the state sixty steps later: neither side keeps the other out.
    const worker = `${prelude}
      const state = native.adoptState(workerData)
      const program = native.createProgram(product(1), state)
      const input = { data: new Float32Array(16).fill(1) }
      ;(async () => {
        let [whole, first, last] = [true, undefined, -1]
        while (whole && !(last >= first + 32 * 4 * 60)) {
          const [y] = await program.run({ n: 1, inputs: [input] })
          whole &&= y.every((value) => value === y[0]) && y[0] % 128 === 0 && y[0] >= last
          const values = await state.read(0, 1 << 18)
          whole &&= values.every((value) => value === values[0]) && values[0] % 4 === 0 && 32 * values[0] >= y[0]
          first ??= y[0]
          last = y[0]
        }
        parentPort.postMessage(whole)
      })()`
    const result = await run(`
      const { stateElements, spec } = heavy(1, { size: 64, update: true, updates: 4 })
      const state = native.createState(stateElements)
      const program = native.createProgram(spec, state)
      const workers = Array.from({ length: 3 }, () => new Worker(${JSON.stringify(worker)}, { eval: true, workerData: state.share() }))
      const answers = workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)))
      let ended = false
      Promise.all(answers).then((all) => { ended = true; console.log(all.every(Boolean)) })
      ;(async () => { while (!ended) await program.run({ n: 1, inputs: [], scalars: { learningRate: 1 } }) })()`)
    expect(result).toEqual({ status: 0, signal: null, stdout: 'true\n', stderr: '' })
  })

  test('take over a state whose thread has ended, and the last one frees it', async () => {
    const owner = `${prelude}
      const state = native.createState(1024)
      state.write(0, new Float32Array(1024).fill(3)).then(() => parentPort.postMessage(state.share()))
      setInterval(() => {}, 1000)`
    const result = await run(`
      const worker = new Worker(${JSON.stringify(owner)}, { eval: true })
      worker.once('message', async (id) => {
        const state = native.adoptState(id)
        await worker.terminate()
        console.log((await state.read(1023, 1))[0], native.memory().stateBytes)
        state.dispose()
        console.log(native.memory().stateBytes)
        try { native.adoptState(id) } catch ({ code }) { console.log(code) }
      })`)
    expect(result).toEqual({ status: 0, signal: null, stdout: '3 4096\n0\nDISPOSED\n', stderr: '' })
  })

  test(`adopt, predict and end, or are terminated in the middle of it, ${WORKERS} of them: nothing is left, and nothing was copied`, async () => {
    const ends = `${prelude}
      const program = native.createProgram(product(4), native.adoptState(workerData))
      program.run({ n: 4, inputs: [{ data: new Float32Array(64).fill(1) }] }).then(([y]) => parentPort.postMessage({ y: y[0], bytes: native.memory().stateBytes }))`
    const stuck = `${prelude}
      const state = native.adoptState(workerData)
      const { spec } = heavy(2000, { lane: 'infer' })
      native.createProgram(spec, state).run({ n: 1, inputs: [] })
      setTimeout(() => parentPort.postMessage({}), 3)`
    const result = await run(`
      const state = native.createState(1 << 18)
      const id = state.share()
      const end = (source, kill) => new Promise((resolve, reject) => {
        const worker = new Worker(source, { eval: true, workerData: id })
        let answer
        worker.once('error', reject).once('exit', () => resolve(answer))
        worker.once('message', (message) => { answer = message; if (kill) worker.terminate() })
      })
      const threads = () => existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0
      ;(async () => {
        await state.write(0, new Float32Array(1 << 18).fill(0.5))
        const own = native.createProgram(product(4), state)
        await own.run({ n: 1, inputs: [{ data: new Float32Array(16) }] })
        await Promise.all([end(${JSON.stringify(ends)}), end(${JSON.stringify(stuck)}, true)])
        const [before, few] = [native.memory(), threads()]
        let right = true
        for (let i = 0; i < ${WORKERS}; i += 4) {
          const answers = await Promise.all([0, 1, 2, 3].map((at) => end(at % 2 ? ${JSON.stringify(stuck)} : ${JSON.stringify(ends)}, at % 2 === 1)))
          for (const answer of [answers[0], answers[2]]) right &&= answer.y === 16 && answer.bytes === 1 << 20
        }
        for (let i = 0; i < 500 && threads() > few; i++) await new Promise((resolve) => setTimeout(resolve, 10))
        const after = native.memory()
        console.log(right, threads() <= few, after.stateBytes - before.stateBytes, after.arenaBytes - before.arenaBytes, after.stagingBytes - before.stagingBytes)
        own.dispose()
        state.dispose()
        const { stateBytes, arenaBytes, stagingBytes } = native.memory()
        console.log(stateBytes, arenaBytes, stagingBytes)
      })()`)
    expect(result).toEqual({ status: 0, signal: null, stdout: 'true true 0 0 0\n0 0 0\n', stderr: '' })
  })
})
