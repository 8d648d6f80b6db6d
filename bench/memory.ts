/**
 * Does memory stay flat? Native bytes and resident memory at step 500 and 10,000 of one training; 100 models dropped without dispose; and the time from
 * import to the end of the first step. `npm run bench:memory`
 */
import { execFileSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { threads } from 'convlane'
import { loadNative } from '#lib/native'
import { type InputShape, nets, noise } from './nets'
import { startTraining } from './train'

const MB = 2 ** 20
const DIGIT: InputShape = [8, 8, 1]
const BATCH = 16

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function nativeBytes(): number {
  const { arenaBytes, stateBytes, stagingBytes, scratchBytes } = loadNative().memory()
  return arenaBytes + stateBytes + stagingBytes + scratchBytes
}

function residentMb(): number {
  collectGarbage()
  return process.memoryUsage().rss / MB
}

async function trainLong(): Promise<void> {
  const model = nets.lenet!(DIGIT)
  const marks: string[] = []
  const seen: number[] = []
  let steps = 0
  const onStep = () => {
    steps++
    if (steps !== 500 && steps !== 10_000) return
    seen.push(nativeBytes())
    marks.push(`step ${steps}: native ${seen.at(-1)} bytes, resident ${residentMb().toFixed(1)} MB`)
  }
  await model.fit(noise(BATCH * 100, DIGIT), { batchSize: BATCH, epochs: 100, onStep })
  model[Symbol.dispose]()
  process.stdout.write(`${marks.join('\n')}\nnative bytes are ${seen[0] === seen[1] ? 'equal' : 'NOT equal'}\n`)
}

async function useModel(): Promise<void> {
  const { x, y } = noise(BATCH, [28, 28, 1])
  await nets.lenet!([28, 28, 1]).trainOnBatch(x, y)
}

async function dropModels(): Promise<void> {
  const before = nativeBytes()
  await useModel()
  const one = { native: nativeBytes() - before, resident: process.memoryUsage.rss() }
  const most = { ...one }
  for (let i = 0; i < 100; i++) {
    await useModel()
    most.native = Math.max(most.native, nativeBytes() - before)
    most.resident = Math.max(most.resident, process.memoryUsage.rss())
  }
  const text = ({ native, resident }: typeof one) => `native ${(native / MB).toFixed(1)} MB, resident ${(resident / MB).toFixed(1)} MB`
  process.stdout.write(`one model: ${text(one)}; 100 dropped without dispose, at most: ${text(most)}\n`)
}

async function startTimes(): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const driver = await startTraining(threads())
    const { startup_ms } = await driver.ask('open train lenet 128 28 28 1')
    driver.close()
    times.push(startup_ms!)
  }
  times.sort((a, b) => a - b)
  process.stdout.write(
    `import to the end of the first lenet step (batch 128): median ${times[2]!.toFixed(0)} ms, worst ${times[4]!.toFixed(0)} ms\n`,
  )
}

const parts = { start: startTimes, drop: dropModels, long: trainLong }

/** Each part in a process of its own, so that none sees what another left behind. */
async function main(): Promise<void> {
  const [part] = process.argv.slice(2)
  if (part !== undefined) return parts[part as keyof typeof parts]()
  for (const name of Object.keys(parts)) execFileSync(process.execPath, [__filename, name], { stdio: 'inherit' })
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
