/**
 * A server under load: requests a second, how long answers take, and memory, idle and while a training runs in the same process. The load comes from autocannon, in a process of
 * its own (`npm ci --prefix test/outside --ignore-scripts` installs it).
 * `npm run bench:serve -- [--seconds S] [--connections N] [--phase NAME]`
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { createPredictor, isa, type Model, readImage, resnet20, type Samples, sgd, type Tensor, threads } from 'convlane'
import sharp from 'sharp'
import { noise } from './nets'

const INPUT = [32, 32, 3] as const
const cannon = join(__dirname, '../test/outside/node_modules/autocannon')
/** Its command takes bodies of text only. */
const client = `const [cannon, body, options] = process.argv.slice(1)
require(cannon)({ method: 'POST', body: require('node:fs').readFileSync(body), ...JSON.parse(options) }).then((report) => console.log(JSON.stringify(report)))`

const build = () =>
  resnet20({ input: INPUT, classes: 10, seed: 1 }).compile({
    optimizer: sgd({ learningRate: 0.01 }),
    loss: 'softmaxCrossEntropy',
  }) as unknown as Model
const pixels = (body: Uint8Array): Samples => ({ shape: [1, ...INPUT], data: new Uint8Array(body) })

interface Phase {
  readonly name: string
  /** What clients post: the pixels themselves, or a JPEG of 320 × 240. */
  readonly body: 'pixels' | 'jpeg'
  readonly connections?: number
  readonly trains?: boolean
  /** By a predictor, or each by a run of its own. */
  readonly batches: boolean
}

const phases: readonly Phase[] = [
  { name: 'one client', body: 'pixels', connections: 1, batches: true },
  { name: 'alone', body: 'pixels', batches: false },
  { name: 'together', body: 'pixels', batches: true },
  { name: 'jpeg', body: 'jpeg', batches: true },
  { name: 'one client, training', body: 'pixels', connections: 1, trains: true, batches: true },
  { name: 'alone, training', body: 'pixels', trains: true, batches: false },
  { name: 'together, training', body: 'pixels', trains: true, batches: true },
  { name: 'jpeg, training', body: 'jpeg', trains: true, batches: true },
]

interface Report {
  readonly requests: { readonly average: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly non2xx: number
  readonly errors: number
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

async function measure(phase: Phase, seconds: number, clients: number, folder: string): Promise<string> {
  const model = build()
  const predictor = createPredictor(model)
  const samplesOf = (body: Uint8Array) => (phase.body === 'jpeg' ? readImage(body, { model }) : pixels(body))
  const said = async (x: Samples): Promise<Tensor> => (phase.batches ? predictor.predict(x) : model.predict(x))
  const server = createServer((request, response) => {
    bodyOf(request)
      .then(samplesOf)
      .then(said)
      .then(({ data }) => response.end(JSON.stringify([...data])))
      .catch(() => response.destroy())
  })
  await listen(server)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  const raw = { width: phase.body === 'jpeg' ? 320 : 32, height: phase.body === 'jpeg' ? 240 : 32, channels: 3 } as const
  const picture = Uint8Array.from({ length: raw.width * raw.height * 3 }, (_, i) => (i * 7 + Math.floor(i / 960) * 13) % 256)
  const body = phase.body === 'jpeg' ? new Uint8Array(await sharp(picture, { raw }).jpeg().toBuffer()) : picture
  const file = join(folder, 'body')
  writeFileSync(file, body)
  const answer = JSON.stringify((await (await fetch(url, { method: 'POST', body })).json()) as number[])
  if (answer !== JSON.stringify([...(await model.predict(await samplesOf(body))).data])) throw new Error(`${phase.name}: a wrong answer`)

  const stop = new AbortController()
  let steps = 0
  const onStep = () => void steps++
  const training = phase.trains && model.fit(noise(640, INPUT), { batchSize: 64, epochs: 1e6, signal: stop.signal, onStep })
  let resident = 0
  const watch = setInterval(() => {
    resident = Math.max(resident, process.memoryUsage.rss())
  }, 20)
  const connections = phase.connections ?? clients
  const load = (duration: number) =>
    promisify(execFile)(process.execPath, ['-e', client, cannon, file, JSON.stringify({ url, connections, duration })])
  await load(1)
  const [first, before] = [steps, predictor.statistics]
  const { requests, latency, non2xx, errors } = JSON.parse((await load(seconds)).stdout) as Report
  const { answered, runs } = predictor.statistics
  const trained = ((steps - first) * 64) / seconds
  clearInterval(watch)
  stop.abort()
  await training
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
  await predictor.close()
  model.dispose()
  const cells = [
    phase.name,
    connections,
    Math.round(requests.average),
    `${latency.p50} ms`,
    `${latency.p99} ms`,
    phase.batches ? ((answered - before.answered) / (runs - before.runs)).toFixed(1) : '1',
    `${Math.round(resident / 2 ** 20)} MB`,
    phase.trains ? Math.round(trained) : '',
  ]
  return `| ${cells.join(' | ')} |${non2xx + errors > 0 ? ` ${non2xx} refused, ${errors} failed` : ''}`
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { seconds: text, connections: text, phase: text } })
  if (!existsSync(cannon)) throw new Error('needs autocannon: npm ci --prefix test/outside --ignore-scripts')
  const chosen = phases.filter(({ name }) => values.phase === undefined || name === values.phase)
  if (chosen.length === 0) throw new Error(`--phase is one of: ${phases.map(({ name }) => name).join('; ')}`)
  process.stdout.write(`${isa()}, ${threads()} threads, resnet20 on 32 x 32 x 3\n`)
  process.stdout.write(
    '| phase | clients | requests/s | p50 | p99 | images in a run | resident memory | images/s trained |\n|---|---|---|---|---|---|---|---|\n',
  )
  const folder = mkdtempSync(join(tmpdir(), 'convlane-bench-'))
  try {
    for (const phase of chosen)
      process.stdout.write(`${await measure(phase, Number(values.seconds ?? 5), Number(values.connections ?? 64), folder)}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
