import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { convertCommand } from '../../lib/cli/convert'
import { evaluateCommand } from '../../lib/cli/evaluate'
import { predictCommand } from '../../lib/cli/predict'
import { reportCommand } from '../../lib/cli/report'
import { trainCommand } from '../../lib/cli/train'

const root = resolve(__dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const documents = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'examples/README.md', ...pages.map((name) => `docs/${name}`)]
/** What pages name in code: between backticks, in blocks, in tables. */
const told = pages.map((name) => read(`docs/${name}`)).join('\n') + read('README.md')

/** The anchors that a page's headings make, as code hosts do. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test.each(documents)('links of %s lead somewhere', (document) => {
  const text = read(document).replace(/^```[\s\S]*?^```/gm, '')
  const broken = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].filter(([, path, anchor]) => {
    const file = path === '' ? join(root, document) : resolve(root, dirname(document), path!)
    return !existsSync(file) || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor))
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

test('the index leads to every page', () => {
  const index = read('docs/README.md')
  for (const page of pages.filter((name) => name !== 'README.md')) expect(index, page).toContain(`(${page})`)
})

const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
const program = ts.createProgram([join(root, 'lib/index.ts'), join(root, 'lib/ops.ts')], options)
const checker = program.getTypeChecker()
const exportsOf = (file: string): ts.Symbol[] =>
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(join(root, file))!)!)
    .map((symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? Object.assign(checker.getAliasedSymbol(symbol), { asName: symbol.name }) : symbol,
    )
const nameOf = (symbol: ts.Symbol): string => (symbol as { asName?: string }).asName ?? symbol.name
const isNamed = (name: string): boolean => new RegExp(`[\`.{(,\\s]${name}\\b`).test(told)

test('every function and class that users import is named in a page', () => {
  const values = exportsOf('lib/index.ts').filter(
    ({ flags }) => flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class | ts.SymbolFlags.Variable),
  )
  expect(values.length).toBeGreaterThan(80)
  expect(values.map(nameOf).filter((name) => !isNamed(name))).toEqual([])
})

test('every op that users import is named in a page, backward functions aside', () => {
  const values = exportsOf('lib/ops.ts').filter(({ flags }) => flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable))
  expect(values.length).toBeGreaterThan(150)
  expect(values.map(nameOf).filter((name) => !/Backward$/.test(name) && !isNamed(name))).toEqual([])
})

test('every option stands in a page, as code', () => {
  const interfaces = [...exportsOf('lib/index.ts'), ...exportsOf('lib/ops.ts')].filter(({ name }) => /Options$/.test(name))
  expect(interfaces.length).toBeGreaterThan(50)
  const missing = interfaces.flatMap((symbol) => {
    const names = checker
      .getDeclaredTypeOfSymbol(symbol)
      .getProperties()
      .map(({ name }) => name)
    return names.filter((name) => !new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``).test(told)).map((name) => `${nameOf(symbol)}.${name}`)
  })
  expect(missing).toEqual([])
})

test('every error code has a row', () => {
  const { types } = checker.getDeclaredTypeOfSymbol(
    exportsOf('lib/index.ts').find((symbol) => nameOf(symbol) === 'ErrorCode')!,
  ) as ts.UnionType
  const codes = types.map((type) => (type as ts.StringLiteralType).value)
  expect(codes.length).toBeGreaterThan(15)
  const text = read('docs/errors.md')
  for (const code of codes) expect(text).toContain(`| \`${code}\` |`)
})

test('every option of the commands has a row', () => {
  const text = read('docs/command-line.md')
  for (const { name, options } of [trainCommand, evaluateCommand, predictCommand, reportCommand, convertCommand])
    for (const option of Object.keys(options)) expect(text, `${name} --${option}`).toMatch(new RegExp(`\`--${option}\\b`))
})

test('every activation has a row', () => {
  const { types } = checker.getDeclaredTypeOfSymbol(
    exportsOf('lib/index.ts').find((symbol) => nameOf(symbol) === 'Activation')!,
  ) as ts.UnionType
  const text = read('docs/activations.md')
  for (const type of types) expect(text).toContain(`| \`'${(type as ts.StringLiteralType).value}'\` |`)
})
