import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adam, conv2d, dashboard, dense, digits, flatten, maxPool2d, type StepEvent, sequential, sliceDataset } from '../../lib/index'

/** Where screenshots go, if anywhere. */
const screenshots = process.env.CONVLANE_SCREENSHOTS

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
})
afterAll(() => browser?.close())

/** A page in a context of its own, and all that should not happen there. */
async function open(
  url: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(100_000) // only ends what hangs: a busy machine is late
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => void (['error', 'warning'].includes(message.type()) && faults.push(message.text())))
  page.on('pageerror', (error) => void faults.push(String(error)))
  page.on('request', (request) => {
    const to = request.url()
    if (!to.startsWith(url) && !to.startsWith('data:')) faults.push(`request to ${to}`)
  })
  await page.goto(url)
  return { page, context, faults }
}

const shot = async (page: Page, name: string) => {
  if (screenshots === undefined) return
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

/**
 * Clicks the picture of input `nth` of six, as people do. Its radio button lies unseen beneath it and could be chosen by force alone,
 * which does not try again when a new drawing moves the page at that moment.
 */
async function choose(page: Page, nth: number) {
  await page.getByRole('img', { name: `input ${nth} of 6`, exact: true }).click()
  expect(await page.getByRole('radio', { name: `input ${nth} of 6` }).isChecked()).toBe(true)
}

async function training() {
  const { train, test: unseen } = await digits()
  const model = sequential(
    { input: [8, 8, 1], seed: 1 },
    conv2d(8, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    conv2d(16, 3, { padding: 'same', activation: 'tanh' }),
    flatten(),
    dense(10),
  )
  model.compile({ optimizer: adam({ learningRate: 0.003 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  const images = sliceDataset(unseen, 0, 6).x
  const board = dashboard({ port: 0, model, images, title: 'digits', epochs: 6 })
  return { model, train, unseen, board, url: await board.listen() }
}

test('shows the numbers of the run while it goes on, asks nobody else, and keeps them when it is over', async () => {
  const { model, train, unseen, board, url } = await training()
  const { page, faults } = await open(url, { viewport: { width: 1280, height: 900 } })
  const phone = await open(url, {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
    colorScheme: 'dark',
  })
  const steps: StepEvent[] = []
  const { epochs } = await model.fit(train, {
    epochs: 6,
    batchSize: 32,
    validationData: unseen,
    callbacks: [board],
    onStep: async (event) => {
      steps.push(event)
      // Half-way it waits for a drawing, of the input that is chosen then.
      if (steps.length === 100) {
        await choose(page, 3)
        await page.waitForSelector('#layers[data-at="100"] figure img', { timeout: 100_000 })
        await page.locator('#way', { hasText: 'step 10 of 45' }).waitFor()
        await shot(page, 'dashboard-live')
      }
    },
  })
  for (const { page: seen } of [{ page }, phone]) await seen.getByRole('status').getByText('done', { exact: true }).waitFor()
  const last = steps.at(-1)!
  const tile = (name: string) => page.locator(`[data-tile="${name}"]`).getAttribute('data-value').then(Number)
  expect(await tile('loss')).toBe(last.loss)
  expect(await tile('accuracy')).toBe(last.metrics.accuracy)
  expect(await tile('validation accuracy')).toBe(epochs.at(-1)!.validation!.accuracy)
  expect(await tile('images per second')).toBe(last.imagesPerSecond)
  const curve = (name: string, line: string) =>
    page.locator(`[data-curve="${name}"] [data-line="${line}"]`).getAttribute('data-value').then(Number)
  expect(await curve('loss', 'batches')).toBe(last.loss)
  expect(await curve('loss', 'epochs')).toBe(epochs.at(-1)!.loss)
  expect(await curve('loss', 'validation')).toBe(epochs.at(-1)!.validation!.loss)
  expect(await curve('gradient norm', 'of each step')).toBe(last.gradientNorm)
  expect(await page.locator('#layers').getAttribute('data-at')).toBe('270')
  expect(await page.locator('#layers figure').count()).toBe(4)
  // By keys: the first step, the second, and back to the last.
  const plot = page.getByRole('img', { name: /^Loss by step/ })
  await plot.focus()
  await page.keyboard.press('Home')
  expect(await curve('loss', 'batches')).toBe(steps[0]!.loss)
  await page.keyboard.press('ArrowRight')
  expect(await curve('loss', 'batches')).toBe(steps[1]!.loss)
  await page.keyboard.press('Escape')
  expect(await curve('loss', 'batches')).toBe(last.loss)
  await page.getByText('Numbers by epoch').click()
  const rows = page.locator('#table tbody tr')
  await rows.nth(5).waitFor() // The page fills it when it hears that it has been opened.
  expect(await rows.count()).toBe(6)
  expect(await rows.nth(5).locator('td').nth(1).textContent()).toBe(
    `${(Math.floor(1e4 * epochs[5]!.metrics.accuracy! + 1e-9) / 100).toFixed(2)} %`,
  )
  await page.getByLabel('loss in powers of ten').check()
  await shot(page, 'dashboard-done')
  await page.emulateMedia({ colorScheme: 'dark' })
  await shot(page, 'dashboard-dark')
  await shot(phone.page, 'dashboard-phone')
  // Nothing is wider than the phone.
  expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(390)
  for (const image of await page.locator('img').all()) expect(await image.getAttribute('alt')).toMatch(/\w+/)
  expect(faults).toEqual([])
  expect(phone.faults).toEqual([])
})

test('a closer look by dragging; a page that is opened late, and one that fails', async () => {
  const { model, train, board, url } = await training()
  let late: Awaited<ReturnType<typeof open>> | undefined
  let count = 0
  const fit = model.fit(train, {
    epochs: 6,
    callbacks: [board],
    onStep: async () => {
      count++
      if (count !== 120) return
      late = await open(url)
      await late.page.locator('#way', { hasText: 'step 30 of 45' }).waitFor()
      const box = (await late.page.locator('[data-curve="loss"] .u-over').boundingBox())!
      await late.page.mouse.move(box.x + box.width * 0.5, box.y + 50)
      await late.page.mouse.down()
      await late.page.mouse.move(box.x + box.width * 0.75, box.y + 60, { steps: 4 })
      await late.page.mouse.up()
      await shot(late.page, 'dashboard-closer')
      throw new Error('the <i>disk</i> is full')
    },
  })
  await expect(fit).rejects.toThrow('the <i>disk</i> is full')
  await late!.page.getByRole('status').getByText('failed: the <i>disk</i> is full', { exact: true }).waitFor()
  expect(late!.faults).toEqual([])
})

test('a page that finds another run shows it alone, with an input that it has', async () => {
  const { model, train, unseen, board, url } = await training()
  const { page } = await open(url)
  const radios = page.locator('#inputs input')
  await choose(page, 6)
  await model.fit(train, { epochs: 1, callbacks: [board] })
  await page.getByRole('status').getByText('done', { exact: true }).waitFor()
  const port = Number(new URL(url).port)
  const next = async (options: object) => {
    const other = dashboard({ port, ...options })
    await other.listen()
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.locator('#way', { hasText: 'waiting for the first step' }).waitFor()
    return other
  }
  const second = await next({ title: 'second', model, images: sliceDataset(unseen, 6, 8).x })
  await radios.nth(1).waitFor({ state: 'attached' })
  expect([await radios.count(), await radios.nth(0).isChecked(), await page.locator('[data-tile], #layers figure').count()]).toEqual([
    2,
    true,
    0,
  ])
  await model.fit(train, { epochs: 1, callbacks: [second] })
  await page.locator('#layers[data-at="45"] figure img').first().waitFor()
  const third = await next({ title: 'third' })
  await page.locator('h1', { hasText: 'third' }).waitFor()
  expect(await page.locator('#maps').isHidden()).toBe(true)
  await third.close()
}, 120_000)
