/// <reference lib="dom" />
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  adam,
  add,
  batchNorm,
  classReport,
  conv2d,
  dense,
  digits,
  flatten,
  input,
  type Labels,
  maxPool2d,
  network,
  relu,
  report,
  sequential,
  sgd,
  stepLog,
  weightsSha256,
} from '../../lib/index'
import { temporaryFolder } from '../support/folder'

/** Where screenshots go, if anywhere. */
const screenshots = process.env.CONVLANE_SCREENSHOTS

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
})
afterAll(() => browser?.close())

/** A page from a file, and all that should not happen there. */
async function open(file: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ offline: true, ...options })
  context.setDefaultTimeout(100_000) // only ends what hangs: a busy machine is late
  const page = await context.newPage()
  const faults: string[] = []
  const url = pathToFileURL(file).href
  page.on('console', (message) => void faults.push(message.text()))
  page.on('pageerror', (error) => void faults.push(String(error)))
  page.on('dialog', (dialog) => {
    faults.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    const to = request.url()
    if (to !== url && !to.startsWith('data:')) faults.push(`request to ${to}`)
  })
  await page.goto(url)
  return { page, faults }
}

const shot = async (page: Page, name: string) => {
  if (screenshots === undefined) return
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

/** Rows of a table by its label, cell by cell. */
const cellsOf = (page: Page, label: string) =>
  page.$$eval(`[aria-label="${label}"] tbody tr`, (rows) =>
    rows.map((row) => [...(row as HTMLTableRowElement).cells].map((cell) => cell.textContent!.trim())),
  )

async function run(file: string) {
  const { train, test: unseen } = await digits()
  const image = input([8, 8, 1])
  const first = relu().apply(batchNorm().apply(conv2d(8, 3, { padding: 'same', name: 'edges' }).apply(image)))
  const sum = add().apply(first, conv2d(8, 3, { padding: 'same', activation: 'relu' }).apply(first))
  const model = network({ inputs: image, outputs: dense(10).apply(flatten().apply(maxPool2d(2).apply(sum))), seed: 1 })
  model.compile({ optimizer: adam({ learningRate: 0.003 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  const log = stepLog()
  const history = await model.fit(train, { epochs: 3, seed: 1, validationSplit: 0.1, callbacks: [log] })
  await report(model, history, unseen, { file, title: 'Digits & <dots>', steps: log.points, run: { epochs: 3, seed: 1 } })
  return { model, history, unseen }
}

test('shows the numbers of the run, asks nobody for anything, in light and dark, on a phone and on paper', async () => {
  const file = join(temporaryFolder(), 'out.html')
  const { model, history, unseen } = await run(file)
  const { page, faults } = await open(file, { viewport: { width: 1200, height: 900 }, colorScheme: 'light' })
  expect(await page.title()).toBe('Digits & <dots>')

  const truth = classReport(await model.predict(unseen.x), unseen.y as Labels)
  const shown = await cellsOf(page, 'Classes')
  const share = (value: number) => `${(Math.floor(value * 10_000 + 1e-9) / 100).toFixed(2)} %`
  expect(shown.slice(0, 10)).toEqual(
    truth.classes.map(({ precision, recall, f1, support }, k) => [String(k), share(precision), share(recall), share(f1), String(support)]),
  )
  const matrix = await cellsOf(page, 'Confusion matrix')
  expect(matrix.map((row) => row.slice(1).map((cell) => Number(cell === '·' ? 0 : cell)))).toEqual(truth.confusion)
  expect(await page.locator('.tiles').textContent()).toContain(`accuracy${share(truth.accuracy)}`)

  const epochs = await cellsOf(page, 'Epochs')
  expect(epochs.map(([epoch, loss, accuracy, validation]) => [Number(epoch), Number(loss), accuracy, Number(validation)])).toEqual(
    history.epochs.map(({ epoch, loss, metrics, validation }) => [
      epoch,
      Number(loss.toPrecision(4)),
      share(metrics.accuracy!),
      Number(validation!.loss.toPrecision(4)),
    ]),
  )
  const layers = await cellsOf(page, 'Layers')
  const summary = model.summary()
  expect(layers.map(([, name]) => name)).toEqual([
    ...summary.inputs.map(({ name }) => name),
    ...summary.layers.map(({ name }) => name),
    'loss, updates and the like',
    'total',
  ])
  expect(await page.locator('dl.facts').textContent()).toContain(weightsSha256(await model.getWeights()))

  // The curves: a dot for each epoch, where its number is.
  const dots = await page.$$eval('.chart:first-child circle.c1', (circles) => circles.map((circle) => Number(circle.getAttribute('cy'))))
  const losses = history.epochs.map(({ loss }) => loss)
  const slope = (dots[1]! - dots[0]!) / (losses[1]! - losses[0]!)
  expect(dots[2]).toBeCloseTo(dots[0]! + slope * (losses[2]! - losses[0]!), 0)

  // Every picture is there, says what it is, and all lie in the page.
  const pictures = await page.$$eval('img', (images) =>
    images.map((image) => [image.complete && image.naturalWidth > 0, image.alt !== '', image.src.startsWith('data:image/png')]),
  )
  expect(pictures.length).toBeGreaterThan(15)
  expect(pictures.every((facts) => facts.every(Boolean))).toBe(true)
  expect(await page.$$eval('svg:not([aria-hidden])', (charts) => charts.every((chart) => chart.getAttribute('aria-label')))).toBe(true)

  // By keyboard: the skip link first, then the sections; what is folded up opens; wide tables are reached.
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('To the content')
  const fold = page.locator('summary', { hasText: 'Numbers of the epochs' })
  await fold.focus()
  await page.keyboard.press('Enter')
  expect(await page.locator('[aria-label="Epochs"]').isVisible()).toBe(true)
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe('Epochs')
  await shot(page, 'report-light')
  expect(faults).toEqual([])

  const colours: string[] = []
  for (const [name, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  } as const)) {
    const other = await open(file, options)
    colours.push(await other.page.evaluate(() => getComputedStyle(document.body).backgroundColor))
    const [width, room] = await other.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const)
    expect(width, name).toBeLessThanOrEqual(room)
    if (name !== 'light') await shot(other.page, `report-${name}`)
    expect(other.faults).toEqual([])
  }
  expect(colours[0]).not.toBe(colours[1])

  const paper = await open(file, { viewport: { width: 718, height: 1000 }, colorScheme: 'dark' })
  await paper.page.emulateMedia({ media: 'print' })
  expect(await paper.page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
  expect(await paper.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(718)
  // What is folded up on the screen is there on paper.
  expect(await paper.page.locator('[aria-label="Epochs"] table').boundingBox()).toMatchObject({ height: expect.any(Number) })
  await shot(paper.page, 'report-print')
  expect((await paper.page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000)
}, 120_000)

test('runs nothing that names, files or options hold', async () => {
  const file = join(temporaryFolder(), 'out.html')
  const evil = `"></title></style><script>alert(1)</script><img src="http://example.com/x.png" onerror="alert(2)"><svg onload=alert(3)>`
  const model = sequential({ input: [4, 4, 1], seed: 1 }, conv2d(2, 2, { name: evil.replaceAll('/', '') }), flatten(), dense(2))
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
  model.classNames = [evil, `${evil} too`]
  const x = { shape: [4, 4, 4, 1], data: Float32Array.from({ length: 64 }, (_, k) => Math.sin(k)) }
  const y = { shape: [4], data: Int32Array.of(0, 1, 0, 1) } as const
  const data = { x, y, files: [evil, evil, evil, evil] }
  await report(model, undefined, data, { file, title: evil, run: { [evil]: evil } })
  const { page, faults } = await open(file)
  expect(await page.title()).toBe(evil)
  expect(await page.$$eval('script, iframe, object, embed, [onload], [onerror], [style]', (found) => found.length)).toBe(0)
  expect(await page.locator('h1').textContent()).toBe(evil)
  expect(faults).toEqual([])
  // Even what stood there would not run, nor be fetched.
  await page.evaluate(() => {
    const image = document.createElement('img')
    image.src = 'http://example.com/x.png'
    document.body.append(image)
    document.body.insertAdjacentHTML('beforeend', '<p style="color:red" onclick="alert(4)">x</p>')
  })
  await page.locator('p', { hasText: /^x$/ }).click()
  const refused = faults.filter((fault) => /Content Security Policy/.test(fault))
  expect(refused.length).toBeGreaterThanOrEqual(2)
  expect(faults.filter((fault) => fault.startsWith('dialog'))).toEqual([])
})

test('a matrix of many classes with long names is on paper as a whole', async () => {
  const file = join(temporaryFolder(), 'out.html')
  const count = 30
  const model = sequential({ input: [count], seed: 1 }, dense(count))
  model.classNames = Array.from({ length: count }, (_, k) => `a kind of animal, number ${k}`)
  const x = { shape: [count, count], data: Float32Array.from({ length: count * count }, (_, k) => Math.sin(k * k)) }
  const y = { shape: [count], data: Int32Array.from({ length: count }, (_, k) => k) } as const
  await report(model, undefined, { x, y }, { file })
  const { page } = await open(file, { viewport: { width: 718, height: 1000 } })
  await page.emulateMedia({ media: 'print' })
  const matrix = page.locator('table.matrix')
  const box = (await matrix.boundingBox())!
  expect(box.x + box.width).toBeLessThanOrEqual(718)
  expect((await matrix.locator('thead th').last().boundingBox())!.height).toBeGreaterThan(60)
  await shot(page, 'report-matrix-print')
})
