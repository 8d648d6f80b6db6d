/**
 * Is a server free while it trains? Delay of the event loop, answers to HTTP requests and latency of `predict`: idle, and while `fit` runs on all cores.
 * `npm run bench:event-loop -- [seconds for each phase, default 5]`
 */
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { isa, type Model, threads } from 'convlane'
import type { Answers } from './http-client'
import { type InputShape, nets, noise } from './nets'

const INPUT: InputShape = [28, 28, 1]
const BATCH = 128

interface Phase extends Answers {
  readonly loopP99: number
  readonly loopMax: number
}

async function observe(port: number, seconds: number): Promise<Phase> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const client = promisify(execFile)(process.execPath, [join(__dirname, 'http-client.js'), String(port), String(seconds)])
  delay.enable()
  const { stdout } = await client
  delay.disable()
  return { ...(JSON.parse(stdout) as Answers), loopP99: delay.percentile(99) / 1e6, loopMax: delay.max / 1e6 }
}

async function predictTimes(model: Model, seconds: number): Promise<string> {
  const { x } = noise(1, INPUT)
  const times: number[] = []
  const end = performance.now() + 1000 * seconds
  while (performance.now() < end) {
    const start = performance.now()
    await model.predict(x)
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const quantile = (share: number) => times[Math.floor(share * times.length)]!.toFixed(2)
  return `predict of one image: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, ${times.length} calls`
}

function report(name: string, phase: Phase): void {
  process.stdout.write(
    `${name}: event loop delay p99 ${phase.loopP99.toFixed(2)} ms, max ${phase.loopMax.toFixed(2)} ms; ` +
      `${phase.answered} requests answered, ${phase.failed} failed, p50 ${phase.p50_ms.toFixed(2)} ms, p99 ${phase.p99_ms.toFixed(2)} ms\n`,
  )
}

async function main(seconds: number): Promise<void> {
  const server = createServer((_request, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const model = nets.lenet!(INPUT)
  const data = noise(BATCH * 16, INPUT)
  await model.trainOnBatch(noise(BATCH, INPUT).x, noise(BATCH, INPUT).y)
  process.stdout.write(`${isa()}, ${threads()} threads, lenet, batches of ${BATCH}\n`)

  report('idle', await observe(port, seconds))
  process.stdout.write(`idle: ${await predictTimes(model, seconds)}\n`)

  const stop = new AbortController()
  let steps = 0
  const onStep = () => {
    steps++
  }
  const start = performance.now()
  const training = model.fit(data, { batchSize: BATCH, epochs: 1_000_000, signal: stop.signal, onStep })
  report('training', await observe(port, seconds))
  process.stdout.write(`training: ${await predictTimes(model, seconds)}\n`)
  stop.abort()
  await training
  process.stdout.write(`training: ${((1000 * steps * BATCH) / (performance.now() - start)).toFixed(0)} images/s meanwhile\n`)
  server.close()
}

main(Number(process.argv[2] ?? 5)).catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
