import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './programs.cjs'

/** Workers that end by themselves, and as many that are terminated in the middle of a step. */
const WORKERS = Number(process.env.CONVLANE_WORKERS ?? 40)
/** Before the first measurement: heaps of V8 and of threads have found their size by then. */
const FIRST = 20
/** Bytes of resident memory that they may leave. */
const MOST = 8 * 2 ** 20
/** Two at a time. */
const TOGETHER = 2

const script = `
const { Worker } = require('node:worker_threads')
const { existsSync, readdirSync } = require('node:fs')
const { native } = require(${JSON.stringify(join(root, 'test/native/programs.cjs'))})
const prelude = \`
const { native, regression, heavy } = require(${JSON.stringify(join(root, 'test/native/programs.cjs'))})
const { parentPort } = require('node:worker_threads')
function start({ stateElements, spec }) {
  const program = native.createProgram(spec, native.createState(stateElements))
  const inputs = spec.inputs.map(({ shape }) => ({ data: new Float32Array(shape[0] * shape[1]) }))
  return program.run({ n: spec.capacity, inputs, scalars: { learningRate: 0.01 } })
}\`
const trains = prelude + 'start(regression()).then(() => parentPort.postMessage(0))'
const stuck = prelude + 'start(heavy(2000)); setTimeout(() => parentPort.postMessage(0), 3)'
const end = (source, kill) => new Promise((resolve, reject) => {
  const worker = new Worker(source, { eval: true })
  worker.once('error', reject).once('exit', resolve)
  if (kill) worker.once('message', () => worker.terminate())
})
async function rounds(count, source, kill) {
  for (let i = 0; i < count; i += ${TOGETHER}) await Promise.all(Array.from({ length: ${TOGETHER} }, () => end(source, kill)))
}
async function measured() {
  for (let i = 0; i < 10; i++) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const tasks = '/proc/self/task'
  return { bytes: process.memoryUsage.rss(), threads: existsSync(tasks) ? readdirSync(tasks).length : 0 }
}
;(async () => {
  await rounds(${FIRST}, trains)
  await rounds(${FIRST}, stuck, true)
  const { threads } = await measured()
  let grown = Infinity
  // Heaps breathe by several MB, and on some machines find their size late; a leak grows by as much with every further round.
  for (let round = 0; round < 3 && grown >= ${MOST}; round++) {
    const { bytes } = await measured()
    await rounds(${WORKERS}, trains)
    await rounds(${WORKERS}, stuck, true)
    grown = (await measured()).bytes - bytes
  }
  let after = await measured()
  for (let i = 0; i < 60 && after.threads > threads; i++) after = await measured() // a busy machine ends them later
  const { arenaBytes, stateBytes, stagingBytes } = native.memory()
  console.log(JSON.stringify({ grown, threads: Math.max(0, after.threads - threads), native: arenaBytes + stateBytes + stagingBytes }))
})()`

test('workers that train and end, or are terminated in the middle of a step, leave no thread and no memory', {
  timeout: 600_000,
}, async () => {
  const child = spawn(process.execPath, ['--expose-gc', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  expect(status).toBe(0)
  const { grown, threads, native } = JSON.parse(output) as { grown: number; threads: number; native: number }
  expect({ threads, native }).toEqual({ threads: 0, native: 0 })
  // The address sanitizer keeps what was freed, to see whether it is used again.
  if (!process.env.LD_PRELOAD) expect(grown, 'resident bytes more than before').toBeLessThan(MOST)
})
