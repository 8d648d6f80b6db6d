/**
 * A server that says what is on images: POST one (PNG, JPEG, WebP, AVIF, GIF), get classes and probabilities as JSON.
 *
 *     serve.ts                 learns digits in a second, serves them to itself, and ends
 *     serve.ts MODEL [PORT]    serves a model from a file, on port 8080 or another one, until SIGTERM or Ctrl-C
 *
 *     curl --data-binary @photo.jpg http://localhost:8080/
 *
 * GET /health is 200 as long as it takes requests; GET /metrics is text for Prometheus.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adam, type ConvlaneError, conv2d, createPredictor, dense, digits, flatten, loadModel, readImage, sequential } from 'convlane'
import sharp from 'sharp'

const MAX_BYTES = 8 * 2 ** 20 // of an image's file
const MAX_PIXELS = 50e6
const MAX_REQUESTS = 64 // at a time: more get 503 at once, so that neither memory nor waiting grows

const [file, port = '8080'] = process.argv.slice(2)
const model = file === undefined ? await learnDigits() : await loadModel(file)
const predictor = createPredictor(model, { maxBatch: 16, maxQueue: MAX_REQUESTS })

/** What is told instead of an answer. */
class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function statusOf(error: unknown): number {
  if (error instanceof Refusal) return error.status
  const { code } = error as ConvlaneError
  if (code === 'INVALID_FILE') return 400 // no image, a damaged one, or one of too many pixels
  if (code === 'UNSUPPORTED') return 415 // an image of a kind that is not read
  return code === 'OVERLOADED' || code === 'DISPOSED' ? 503 : 500
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const tooLarge = new Refusal(413, `an image may have at most ${MAX_BYTES} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length > MAX_BYTES) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

let requests = 0 // under way
const statuses = new Map<number, number>() // of the answers so far

async function answer(request: IncomingMessage, signal: AbortSignal) {
  if (request.method !== 'POST') throw new Refusal(405, 'POST an image')
  if (requests > MAX_REQUESTS) throw new Refusal(503, 'too many requests at a time')
  const image = await readImage(await bodyOf(request), { model, limitInputPixels: MAX_PIXELS, signal })
  const [classes] = await predictor.classify(image, { top: 5, signal })
  return { classes }
}

/** One number for each line. */
function metrics(): string {
  const { waiting, running, runs } = predictor.statistics
  const answers = [...statuses].map(([status, count]) => `serve_answers_total{status="${status}"} ${count}`)
  return [
    '# TYPE serve_answers_total counter',
    ...answers,
    '# TYPE serve_runs_total counter',
    `serve_runs_total ${runs}`,
    '# TYPE serve_requests gauge',
    `serve_requests ${requests}`,
    '# TYPE serve_images gauge',
    `serve_images{state="waiting"} ${waiting}`,
    `serve_images{state="running"} ${running}`,
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    '',
  ].join('\n')
}

// A slow client holds its place for 20 seconds. Looked for is every second: the default is every 30.
const server = createServer({ requestTimeout: 20_000, connectionsCheckingInterval: 1000 }, async (request, response) => {
  if (request.method === 'GET' && request.url === '/health') return response.end('ok\n')
  if (request.method === 'GET' && request.url === '/metrics')
    return response.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics())
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  requests++
  const [status, content] = await answer(request, gone.signal).then(
    (found) => [200, found] as const,
    (error: Error) => [statusOf(error), { error: error.message }] as const,
  )
  requests--
  if (request.socket.destroyed) return // the client has gone
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (status === 500) console.error(content)
  request.resume() // reads on past what was refused, so that the client hears why
  response.statusCode = status
  response.setHeader('content-type', 'application/json')
  if (status === 503) response.setHeader('retry-after', '1')
  if (status === 405) response.setHeader('allow', 'POST')
  if (!server.listening) response.setHeader('connection', 'close')
  response.end(status === 500 ? '{"error":"internal error"}' : JSON.stringify(content))
})
server.keepAliveTimeout = 65_000 // longer than load balancers keep theirs
server.maxConnections = 1000

server.listen(file === undefined ? 0 : Number(port))
await once(server, 'listening')
const { port: actual } = server.address() as AddressInfo
console.log(`listening on port ${actual}`)

/** Takes no more requests, answers those that it has, and lets go of the model. */
async function shutDown() {
  server.close()
  setTimeout(() => server.closeAllConnections(), 10_000).unref()
  await once(server, 'close')
  await predictor.close()
  model.dispose()
  const { answered, runs } = predictor.statistics
  console.log(`${answered} images answered, in ${runs} runs of the model`)
}
process.once('SIGTERM', shutDown).once('SIGINT', shutDown)

async function learnDigits() {
  const { train } = await digits()
  const x = { ...train.x, data: train.x.data.map((grey) => 15 * grey) } // 0 to 240, as in image files
  const model = sequential({ input: [8, 8, 1], seed: 1 }, conv2d(16, 3, { activation: 'relu' }), flatten(), dense(10))
  model.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
  await model.fit({ ...train, x, normalize: { scale: 1 / 255, offset: 0 } }, { epochs: 8 })
  return model
}

if (file === undefined) {
  const { x, y } = (await digits()).test
  let right = 0
  for (let k = 0; k < 20; k++) {
    const grey = Buffer.from(x.data.slice(64 * k, 64 * (k + 1)).map((value) => 15 * value))
    const body = await sharp(grey, { raw: { width: 8, height: 8, channels: 1 } })
      .resize(80)
      .jpeg()
      .toBuffer()
    const response = await fetch(`http://localhost:${actual}/`, { method: 'POST', body: new Uint8Array(body) })
    const { classes } = (await response.json()) as { classes: { class: number; name: string; probability: number }[] }
    if (k < 3) console.log(classes.map(({ name, probability }) => `${name}: ${(100 * probability).toFixed(1)} %`).join(', '))
    if (classes[0]!.class === y.data[k]) right++
  }
  console.log(`${right} of 20 digits told right`)
  await shutDown()
  process.exitCode = right > 15 ? 0 : 1
}
