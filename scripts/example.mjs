/**
 * Runs a program of examples/ as a project that has installed convlane would, on any Node: `npm run example NAME [ARGUMENTS]`. Its JavaScript goes to build-examples/.
 * Packages that convlane does not depend on are taken from test/outside.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './build-state.mjs'

const [name = '', ...rest] = process.argv.slice(2)
const names = readdirSync(join(root, 'examples')).flatMap((file) => /^(\w+)\.ts$/.exec(file)?.[1] ?? [])
if (names.includes(name)) await run()
else {
  process.stderr.write(`usage: npm run example NAME [-- ARGUMENTS], where NAME is ${names.join(', ')}\n`)
  process.exitCode = 2
}

async function run() {
  const { default: ts } = await import('typescript')
  const folder = join(root, 'build-examples')
  const [source, program] = [join(root, 'examples', `${name}.ts`), join(folder, `${name}.mjs`)]
  mkdirSync(folder, { recursive: true })
  const outside = join(root, 'test/outside/node_modules')
  const link = join(folder, 'node_modules')
  if (existsSync(outside) && !lstatSync(link, { throwIfNoEntry: false })) symlinkSync(outside, link, 'junction')
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    inlineSourceMap: true,
  }
  writeFileSync(program, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions, fileName: source }).outputText)
  process.argv.splice(1, process.argv.length - 1, program, ...rest)
  process.setSourceMapsEnabled(true)
  await import(pathToFileURL(program).href)
}
