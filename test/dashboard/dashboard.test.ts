import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { page } from '../../lib/dashboard/page'
import { eventText } from '../../lib/dashboard/run'
import { DashboardServer } from '../../lib/dashboard/server'
import { concat, type DashboardOptions, dashboard, encodePng, featureMaps, input, mapGrid, network, type StepEvent } from '../../lib/index'
import { expectError, randomTensor, someLabels } from '../support/models'
import { smallClassifier } from '../support/smallClassifier'
import { ask, listen, told } from './events'

const data = { x: randomTensor([10, 4, 4, 3], 1), y: someLabels(10, 3) }
const library = join(__dirname, '../../dist/index.js')
const images = { shape: [2, 4, 4, 3], data: data.x.data.subarray(0, 96) }

test('tells each step and each epoch as they are, draws what the weights give in the end, and ends with the training', async () => {
  const model = smallClassifier()
  const board = dashboard({ port: 0, model, images, title: 'a <b>run</b>', epochs: 3 })
  const url = await board.listen()
  expect(await board.listen()).toBe(url)
  const early = await listen(`${url}events?image=1`)
  const steps: StepEvent[] = []
  let late: ReturnType<typeof listen> | undefined
  const { epochs } = await model.fit(data, {
    epochs: 3,
    batchSize: 4,
    validationData: data,
    callbacks: [board],
    onStep: async (event) => {
      steps.push(event)
      if (steps.length === 5) late = listen(`${url}events`)
      if (steps.length === 6) await late
    },
  })
  for (const listener of [early, (await late)!]) {
    await listener.ended
    const { at, columns, epochs: rows, now, run } = told(listener.events)
    expect(run).toMatchObject({ title: 'a <b>run</b>', epochs: 3 })
    expect(at).toEqual(steps.map((_, index) => index + 1))
    expect(columns.loss).toEqual(steps.map(({ loss }) => loss))
    expect(columns['metrics.accuracy']).toEqual(steps.map(({ metrics }) => metrics.accuracy))
    expect(columns.learningRate).toEqual(steps.map(({ learningRate }) => learningRate))
    expect(columns.gradientNorm).toEqual(steps.map(({ gradientNorm }) => gradientNorm))
    expect(now).toMatchObject({ epoch: 3, step: 3, steps: 3, at: 9, start: 0, loss: steps.at(-1)!.loss })
    expect(rows).toMatchObject(
      epochs.map(({ epoch, loss, metrics, validation }) => ({
        epoch,
        at: 3 * epoch,
        train: { loss, ...metrics },
        validation: { ...validation },
      })),
    )
    expect(listener.events.at(-1)).toEqual({ name: 'end', data: { why: 'done' } })
  }
  const { data: inputs } = await early.next('inputs')
  expect(inputs.length).toBe(2)
  const last = early.events.filter(({ name }) => name === 'maps').at(-1)!.data
  expect([last.image, last.at]).toEqual([1, 9])
  const maps = await featureMaps(model, { shape: [4, 4, 3], data: images.data.subarray(48) })
  expect(last.layers.map(({ name }: { name: string }) => name)).toEqual(['conv2d', 'dense'])
  const grid = mapGrid(maps[0]!.output)
  expect(last.layers[0]).toMatchObject({ shape: [2, 2, 5], most: grid.most, maps: 5, height: grid.shape[0], width: grid.shape[1] })
  expect(last.layers[0].png).toBe(`data:image/png;base64,${Buffer.from(await encodePng(grid)).toString('base64')}`)
  await expect(ask(url)).rejects.toThrow('ECONNREFUSED')
})

test('one callback serves one fit after the other; each is a run of its own', async () => {
  const board = dashboard({ port: 0 })
  const seen: unknown[] = []
  for (let fit = 0; fit < 2; fit++) {
    const listener = await listen(`${await board.listen()}events`)
    await smallClassifier().fit(data, { callbacks: [board] })
    await listener.ended
    const { run, at } = told(listener.events)
    seen.push(run.id, at.length)
  }
  expect(seen[0]).not.toBe(seen[2])
  expect([seen[1], seen[3]]).toEqual([1, 1])
})

test('says how a training ended that did not come to its end', async () => {
  const endOf = async (run: (board: ReturnType<typeof dashboard>) => Promise<unknown>) => {
    const board = dashboard({ port: 0 })
    const listener = await listen(`${await board.listen()}events`)
    await run(board)
    return (await listener.next('end')).data
  }
  const stop = new AbortController()
  const aborted = endOf((board) =>
    smallClassifier().fit(data, { callbacks: [board], batchSize: 2, signal: stop.signal, onStep: () => stop.abort() }),
  )
  expect(await aborted).toEqual({ why: 'aborted' })
  const failing = { ...data, x: { ...data.x, data: data.x.data.map(() => Number.NaN) } }
  const failed = endOf((board) =>
    smallClassifier()
      .fit(failing, { callbacks: [board] })
      .catch(() => {}),
  )
  expect(await failed).toEqual({ why: 'failed', message: expect.stringMatching(/the loss became NaN/) })
  expect(await endOf((board) => board.close())).toEqual({ why: 'aborted' })
})

test('answers GET to those that name this machine, and nothing else', async () => {
  const board = dashboard({ port: 0, host: 'localhost' })
  const url = await board.listen()
  const { port } = new URL(url)
  try {
    const { status, headers, text } = await ask(url)
    expect([status, text]).toEqual([200, page().html])
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'sha256-[^']*'; style-src 'sha256-[^']*'; img-src data:;/,
      ),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']) {
      const refused = await ask(url, { method })
      expect([method, refused.status, refused.headers.allow]).toEqual([method, 405, 'GET'])
    }
    for (const host of [`localhost:${port}`, '127.0.0.1', `[::1]:${port}`, 'LocalHost', '192.168.1.7:80']) {
      expect([host, (await ask(url, { headers: { host } })).status]).toEqual([host, 200])
    }
    const foreign = [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost:80:80',
      ' ',
      '[::1',
      'a@localhost',
    ]
    for (const host of foreign) {
      for (const path of ['', 'events']) expect([host, (await ask(url + path, { headers: { host } })).status]).toEqual([host, 403])
    }
    for (const path of ['favicon.ico', 'events/', '../package.json', '%2e%2e/package.json', 'events?image=-1', 'events?image=x']) {
      expect([path, (await ask(url + path)).status]).toEqual([path, 404])
    }
    expect((await ask(`${url}events`, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect((await ask(url, { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431)
  } finally {
    await board.close()
    await board.close()
  }
})

test('pages come and go; there are 16 at most', async () => {
  const board = dashboard({ port: 0 })
  const url = await board.listen()
  const listeners = []
  for (let i = 0; i < 16; i++) listeners.push(await listen(`${url}events`))
  const refused = await ask(`${url}events`)
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10'])
  for (const listener of listeners.splice(0, 8)) listener.leave()
  while ((await ask(url)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5))
  for (let isIn = false; !isIn; ) {
    const listener = await listen(`${url}events`)
    isIn = listener.status === 200
    listeners.push(listener)
  }
  await smallClassifier().fit(data, { callbacks: [board], batchSize: 2 })
  for (const { ended, events, status } of listeners) {
    await ended
    if (status === 200) expect(told(events).at.length).toBe(5)
  }
})

test('a page that reads nothing holds up nobody, and no more than one message waits for it', async () => {
  const MESSAGES = 24
  let sent = 0
  const feed = { images: 0, inputs: () => '', drawings: () => '', state: () => eventText('state', { sent }) }
  const server = new DashboardServer(feed, '127.0.0.1')
  const { port } = new URL(await server.listen(0))
  /** A client that counts what it gets. */
  const client = () => {
    const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8')
    const got = { socket, bytes: 0, last: '' }
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    socket.on('data', (piece: string) => {
      got.bytes += piece.length
      got.last = (got.last + piece).slice(-200)
    })
    return got
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const [slow, quick] = [client(), client()]
  while (slow.bytes === 0 || quick.bytes === 0) await turn()
  slow.socket.pause()
  for (sent = 1; sent <= MESSAGES; sent++) {
    server.send(eventText('update', { more: 'x'.repeat(2 ** 20) }))
    while (quick.bytes < sent * 2 ** 20) await turn()
  }
  slow.socket.resume()
  while (!slow.last.includes(`{"sent":${sent}}`)) {
    server.send(eventText('update', {}))
    await turn()
  }
  // What the system keeps for a connection, and one message.
  expect(slow.bytes).toBeLessThan(16 * 2 ** 20)
  const ends = [slow, quick].map(({ socket }) => once(socket, 'close'))
  await server.close(eventText('end', {}))
  await Promise.all(ends)
  for (const { last } of [slow, quick]) expect(last).toContain('event: end')
})

test('keeps no process alive, whoever looks', async () => {
  // Its standard input does, until a page looks.
  const script = `require(${JSON.stringify(library)}).dashboard({ port: 0 }).listen().then(console.log); process.stdin.resume()`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 50_000, killSignal: 'SIGKILL' })
  const exit = once(child, 'exit')
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data')
  const looking = await listen(`${url.trim()}events`)
  await looking.next('state')
  child.stdin.end()
  expect(await exit).toEqual([0, null])
  await looking.ended
})

test('a port that cannot be had is an error before the first step', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  let steps = 0
  const fit = () => smallClassifier().fit(data, { callbacks: [dashboard({ port })], onStep: () => void steps++ })
  await expectError(fit, 'PORT_ERROR', `dashboard: port ${port} of 127.0.0.1 is in use; port 0 takes any that is free`)
  await expectError(() => dashboard({ port: 0, host: '203.0.113.1' }).listen(), 'PORT_ERROR', '203.0.113.1 is no address of this machine')
  await new Promise((resolve) => other.close(resolve))
  await smallClassifier().fit(data, { callbacks: [dashboard({ port })], onStep: () => void steps++ })
  expect(steps).toBe(1)
})

test('bad options are refused', async () => {
  const model = smallClassifier()
  const refused: [DashboardOptions, RegExp][] = [
    [{ ports: 1 } as never, /unknown option "ports"/],
    [{ port: -1 }, /port must be an integer from 0 to 65535, received -1/],
    [{ port: 65_536 }, /port/],
    [{ port: '80' as never }, /port/],
    [{ host: '' }, /host must be an address or a name/],
    [{ title: 3 as never }, /title must be a string/],
    [{ epochs: 0 }, /epochs/],
    [{ model: {} as never, images }, /model must be a model/],
    [{ model }, /images must be given, too/],
    [{ images }, /model must be given, too/],
    [{ layers: ['conv2d'] }, /layers must be given with model and images/],
    [{ model, images, layers: ['conv'] }, /layers must be an array of some of conv2d, flatten, dense/],
  ]
  for (const [options, message] of refused) await expectError(() => dashboard(options), 'INVALID_ARGUMENT', message)
  const wrong = { shape: [17, 4, 4, 3], data: new Float32Array(17 * 48) }
  await expectError(
    () => dashboard({ model, images: wrong }),
    'INVALID_SHAPE',
    /images must have shape \[1 to 16, 4, 4, 3\], received \[17, 4, 4, 3\]/,
  )
  await expectError(() => dashboard({ model, images: { shape: [4, 4, 3], data: new Float32Array(48) } }), 'INVALID_SHAPE', /images/)
  await expectError(
    () => dashboard({ model, images: { shape: [1, 4, 4, 3], data: new Float64Array(48) } as never }),
    'INVALID_DTYPE',
    /images/,
  )
  const [a, b] = [input([2]), input([2])]
  const two = network({ inputs: [a, b], outputs: concat().apply(a, b) })
  await expectError(
    () => dashboard({ model: two as never, images: { shape: [1, 2], data: new Float32Array(2) } }),
    'INVALID_ARGUMENT',
    /one input/,
  )
})
