import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchNorm, conv2d, dense, globalAveragePool2d, type Model, readImage, sequential } from '../../lib/index'
import { installProgram, listedPrograms } from '../support/examplePrograms'
import { drawn, kinds } from '../support/images'

const project = mkdtempSync(join(tmpdir(), 'convlane-serve-'))
let model: Model
let server: Server

interface Server {
  readonly child: ChildProcess
  readonly url: string
  readonly port: number
  readonly output: () => string
}

interface Said {
  readonly classes?: readonly { readonly class: number; readonly name: string; readonly probability: number }[]
  readonly error?: string
}

/** examples/serve.ts in a process of its own, when it listens. */
async function serve(program: string): Promise<Server> {
  const child = spawn(process.execPath, [program, 'model.safetensors', '0'], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const found = /listening on port (\d+)/.exec(output)
        if (found) resolve(Number(found[1]))
      })
    child.once('exit', () => reject(new Error(output)))
  })
  return { child, port, url: `http://127.0.0.1:${port}/`, output: () => output }
}

let program: string

beforeAll(async () => {
  program = installProgram(listedPrograms().find(({ file }) => file === 'serve.ts')!, project)
  model = sequential(
    { input: [32, 32, 3], seed: 1 },
    conv2d(16, 3, { padding: 'same' }),
    batchNorm({ activation: 'relu' }),
    conv2d(32, 3, { activation: 'relu' }),
    globalAveragePool2d(),
    dense(3),
  )
  model.classNames = ['beech', 'birch', 'oak']
  await model.save(join(project, 'model.safetensors'))
  server = await serve(program)
})

afterAll(() => {
  server?.child.kill('SIGKILL')
  rmSync(project, { recursive: true, force: true })
})

async function post(body: Uint8Array | string | ReadableStream, options: RequestInit = {}) {
  const streamed = typeof body === 'object' && !ArrayBuffer.isView(body)
  const response = await fetch(server.url, { method: 'POST', body, ...(streamed && { duplex: 'half' }), ...options } as RequestInit)
  return { status: response.status, headers: response.headers, said: (await response.json()) as Said }
}

const photo = (kind: (typeof kinds)[number] = 'jpeg') => drawn({ kind, height: 120, width: 90, right: [10, 80, 240] })

/** That the server answers as ever. */
async function expectAlive(): Promise<void> {
  const { status, said } = await post(await photo('png'))
  expect(status).toBe(200)
  expect(said.classes).toHaveLength(3)
}

test.each(kinds)('what is on a %s image: what the model says of it, likeliest first', async (kind) => {
  const image = await photo(kind)
  const { status, said, headers } = await post(image)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json')
  const { data } = await model.predict(await readImage(image, { model }))
  const powers = [...data].map(Math.exp)
  const sum = powers.reduce((a, b) => a + b)
  const expected = powers.map((power, k) => ({ class: k, name: ['beech', 'birch', 'oak'][k]!, probability: power / sum }))
  expected.sort((a, b) => b.probability - a.probability)
  expect(said.classes!.map(({ name, class: number }) => [name, number])).toEqual(expected.map(({ name, class: number }) => [name, number]))
  for (const [at, { probability }] of said.classes!.entries()) expect(probability).toBeCloseTo(expected[at]!.probability, 6)
})

test('an image of one pixel, and one of a long strip', async () => {
  expect((await post(await drawn({ height: 1, width: 1 }))).status).toBe(200)
  expect((await post(await drawn({ height: 1, width: 3000 }))).status).toBe(200)
})

const bomb = () =>
  sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: 'red' } })
    .png({ compressionLevel: 9 })
    .toBuffer()
const tooLong = new Uint8Array(8 * 2 ** 20 + 1)

/** The same bytes without a length before them. */
function streamOf(bytes: Uint8Array): ReadableStream {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + 65_536))
      at += 65_536
    },
  })
}

const bad: readonly (readonly [string, number, RegExp, () => Promise<Uint8Array | string | ReadableStream>])[] = [
  ['text', 400, /no image: starts with "hello/, async () => 'hello, I am a text'],
  ['nothing', 400, /empty/, async () => new Uint8Array(0)],
  ['random bytes', 400, /no image/, async () => randomBytes(5000)],
  ['zeros of the largest size', 400, /no image/, async () => tooLong.subarray(1)],
  ['half an image', 400, /damaged PNG/, async () => (await photo('png')).subarray(0, 150)],
  ['an image with other bytes in it', 400, /damaged|image/, async () => { const bytes = await photo('png'); bytes.fill(7, 60, 200); return bytes }], // biome-ignore format: one line
  ['a PNG signature alone', 400, /damaged PNG/, async () => (await photo('png')).subarray(0, 8)],
  ['more pixels than are decoded', 400, /more pixels than limitInputPixels/, bomb],
  [
    'an image of another kind',
    415,
    /a TIFF image/,
    async () =>
      sharp(await photo())
        .tiff()
        .toBuffer(),
  ],
  [
    'a drawing',
    415,
    /SVG/,
    async () => '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
  ],
  ['too many bytes', 413, /at most 8388608 bytes/, async () => tooLong],
  ['too many bytes, which nobody announced', 413, /at most 8388608 bytes/, async () => streamOf(tooLong)],
]

test.each(bad)('%s: %i, and the server stays up', async (_, expected, message, make) => {
  const { status, said } = await post(await make())
  expect(said.error).toMatch(message)
  expect(status).toBe(expected)
  await expectAlive()
})

test('no POST: 405; no HTTP: 400; clients that go away in the middle of it: nothing', async () => {
  const response = await fetch(server.url)
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  const nonsense = connect(server.port, '127.0.0.1')
  nonsense.end('\0\x01 nonsense\r\n\r\n')
  let heard = ''
  for await (const data of nonsense) heard += data
  expect(heard).toMatch(/^HTTP\/1.1 400 /)
  const image = await photo()
  for (let k = 0; k < 100; k++) {
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${image.length}\r\n\r\n`)
    socket.write(image.subarray(0, (image.length * k) / 99), () => socket.destroy())
  }
  await expectAlive()
  expect(server.output()).toBe(`listening on port ${server.port}\n`)
})

/** The numbers of GET /metrics. */
async function measured(): Promise<Record<string, number>> {
  const response = await fetch(`${server.url}metrics`)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
  const lines = (await response.text()).trimEnd().split('\n')
  return Object.fromEntries(lines.filter((line) => !line.startsWith('#')).map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}

test('health and metrics: what was answered, and what is under way', async () => {
  expect((await fetch(`${server.url}health`)).status).toBe(200)
  let before = await measured()
  while (before.serve_requests! > 0) before = await measured() // of clients that have gone
  await expectAlive()
  await post('no image')
  const after = await measured()
  const more = (name: string) => after[name]! - (before[name] ?? 0)
  expect(['serve_answers_total{status="200"}', 'serve_answers_total{status="400"}', 'serve_runs_total'].map(more)).toEqual([1, 1, 1])
  expect(after).toMatchObject({ serve_requests: 0, 'serve_images{state="waiting"}': 0, 'serve_images{state="running"}': 0 })
  expect(after.process_resident_memory_bytes).toBeGreaterThan(2 ** 20)
})

test('clients that send slowly hold their places for 20 seconds, and others are told to come back', { timeout: 120_000 }, async () => {
  const slow = Array.from({ length: 64 }, () => connect(server.port, '127.0.0.1').on('error', () => {}))
  const start = performance.now()
  for (const socket of slow) socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf')
  while ((await measured()).serve_requests! < 64) await new Promise((resolve) => setTimeout(resolve, 50))
  expect((await post(await photo())).status).toBe(503)
  await Promise.all(slow.map((socket) => once(socket.resume(), 'close')))
  // Node's own limit is 300 seconds; a busy machine is late.
  expect(performance.now() - start).toBeLessThan(60_000)
  await expectAlive()
})

const residentBytes = (pid: number) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
const load = async (connections: number, amount: number) =>
  autocannon({ url: server.url, method: 'POST', body: await photo(), connections, amount, timeout: 60 })

test('load within its limits is answered, every request of it', async () => {
  const { errors, timeouts, statusCodeStats } = await load(60, 3000)
  expect({ errors, timeouts, statusCodeStats }).toEqual({ errors: 0, timeouts: 0, statusCodeStats: { 200: { count: 3000 } } })
})

test('load beyond them is shed with 503, without growing; then all is as before', async () => {
  const before = process.platform === 'linux' ? residentBytes(server.child.pid!) : 0
  const { errors, timeouts, statusCodeStats } = await load(400, 20_000)
  expect({ errors, timeouts }).toEqual({ errors: 0, timeouts: 0 })
  const { 200: answered, 503: shed, ...others } = statusCodeStats as Record<string, { count: number }>
  expect(others).toEqual({})
  expect(answered!.count + shed!.count).toBe(20_000)
  expect(shed!.count).toBeGreaterThan(100)
  expect(answered!.count).toBeGreaterThan(100)
  if (before > 0) expect(residentBytes(server.child.pid!) - before).toBeLessThan(200 * 2 ** 20)
  await expectAlive()
})

test.skipIf(process.platform === 'win32')(
  'SIGTERM under load (there is none on Windows): answers what it has, and ends with 0',
  async () => {
    const stop = new AbortController()
    const image = await photo()
    const statuses: number[] = []
    const client = async () => {
      while (!stop.signal.aborted) {
        const response = await fetch(server.url, { method: 'POST', body: new Uint8Array(image) }).catch(() => stop.abort())
        if (!response) return
        statuses.push(response.status)
        await response.json()
      }
    }
    const clients = Array.from({ length: 20 }, client)
    while (statuses.length < 100) await new Promise(setImmediate)
    const exited = once(server.child, 'exit')
    server.child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    await Promise.all(clients)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(server.output()).toMatch(/\n\d+ images answered, in \d+ runs of the model\n$/)
    server = await serve(program)
    await expectAlive()
  },
)
