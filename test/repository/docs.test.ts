import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { blocksOf, docstrings, documentedFiles, type Example, examplesOf } from '../support/examples'

const root = join(__dirname, '../..')
const pages = documentedFiles().flatMap(examplesOf)

/** Blocks that are right, and blocks with what must be said about them. */
const right = [
  "import { tensor } from 'convlane/ops'\ntensor([1, 2.25], [2]) // → { shape: [2], data: [1, 2.3] }",
  "const text = 'a' + 'b' // → 'ab'\nconsole.log(text.length) // → 2\nfor (const n of [1]) n / 3 // → 0.33",
  '[Number.NaN, undefined, -1 / 0, 1.5e-7] // → [NaN, undefined, -Infinity, 1.5e-7]',
  "import { conv2d } from 'convlane'\nconv2d(0, 3) // → throws INVALID_ARGUMENT",
].map((code, index) => blocksOf(`\`\`\`js\n${code}\n\`\`\``, `right${index}`)[0]!)
const wrong = [
  ['1 + 1 // → 3', 'line 2: said to be 3, but is 2'],
  ['const x = [0.26]\nx // → [0.3, 1]', 'line 3: said to be [0.3, 1], but is [ 0.26 ]'],
  ['0.26 // → 0.2', 'but is 0.26'],
  ['2.0001 // → 2', 'but is 2.0001'],
  ['({ a: 1, b: 2 }) // → { a: 1 }', 'but is { a: 1, b: 2 }'],
  ["'1' // → 1", "but is '1'"],
  ["import { conv2d } from 'convlane'\nconv2d(1, 3) // → throws INVALID_ARGUMENT", 'but gave a result'],
  ["import { convd } from 'convlane'", 'convd'],
  ["\nthrow new TypeError('of its own')", 'of its own'],
].map(([code, message], index) => ({ message: message!, ...blocksOf(`\`\`\`js\n${code}\n\`\`\``, `wrong${index}`)[0]! }))
const examples = [...pages, ...right, ...wrong]

interface Outcome {
  readonly printed: string
  readonly error: string | null
}
const outcomes = new Map<string, Outcome>()

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-docs-'))
  try {
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(root, join(folder, 'node_modules/convlane'))
    writeFileSync(join(folder, 'threads.mjs'), "export { setThreads, threads } from 'convlane'\n")
    const files = new Map(examples.map((example, index) => [`example${String(index).padStart(4, '0')}.mjs`, example]))
    for (const [file, { module }] of files) writeFileSync(join(folder, file), module)
    const runner = join(root, 'test/support/runExamples.mjs')
    const { stdout, stderr, signal } = spawnSync(process.execPath, ['--enable-source-maps', runner, folder], {
      encoding: 'utf8',
      timeout: 150_000,
    })
    for (const line of stdout.split('\n').filter(Boolean)) {
      const { name, printed, error } = JSON.parse(line)
      outcomes.set(files.get(name)!.name, { printed, error })
    }
    const ended = signal ? `the process was ended by ${signal}` : `the process ended: ${stderr}`
    for (const { name } of examples) if (!outcomes.has(name)) outcomes.set(name, { printed: '', error: ended })
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 180_000)

test.each([...pages, ...right])('$name runs as it stands', ({ name }: Example) => {
  const { error } = outcomes.get(name)!
  if (error) expect.fail(`${name}: ${error}`)
})

test.each(wrong)('a wrong block fails: $message', ({ name, message }) => {
  expect(outcomes.get(name)!.error).toContain(message)
})

test('a result that nothing would check, a language that nothing would run, and a block without an end are refused', () => {
  expect(() => blocksOf('```js\nif (true) { // → 3\n}\n```', 'page')).toThrow('stands behind no expression')
  expect(() => blocksOf('```javascript\n1\n```', 'page')).toThrow('page:2: write ```js')
  expect(() => blocksOf('text\n```js\n1\n', 'page')).toThrow('page:2: a block that does not end')
})

test('blocks are found in docstrings, at their lines, and ```text is left alone', () => {
  const source = 'x\n  /**\n   * Text.\n   * @example\n   * ```js\n   * f(1) // → 2\n   * ```\n   */\n/** ```text */\n'
  const found = docstrings(source).map(([line, text]) => blocksOf(text.includes('```js') ? text : '', 'file', line))
  expect(found.flat().map(({ name, source }) => [name, source.trim()])).toEqual([['file:6', 'f(1) // → 2']])
  expect(blocksOf('```text\nnot code\n```\n```js\n1\n```\n', 'page').map(({ name }) => name)).toEqual(['page:5'])
})

/** What the first block of a page printed. */
const printedBy = (file: string) => outcomes.get(pages.find(({ name }) => name.startsWith(`${file}:`))!.name)!.printed

test("README's example learns the digits", () => {
  const printed = printedBy('README.md')
  expect(Number(/images never seen: ([\d.]+) %/.exec(printed)![1])).toBeGreaterThan(90)
  expect(printed).toContain('[ 360, 10 ]')
})

test('the example of docs/signal.md gets each gradient the same both ways', () => {
  const lines = printedBy('docs/signal.md').replace(/\s*\n\s+/g, ' ')
  const found = [...lines.matchAll(/(weights|input|bias) \[([^\]]*)\] \[([^\]]*)\]/g)]
  expect(found.map(([, name]) => name)).toEqual(['weights', 'input', 'bias'])
  const numbers = (text: string) => text.split(',').map(Number)
  for (const [, , one, other] of found) expect(numbers(one!)).toEqual(numbers(other!))
  expect(found.map(([, , one]) => numbers(one!).length)).toEqual([4, 30, 1])
})
