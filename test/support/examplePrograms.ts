import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(__dirname, '../..')
const folder = join(root, 'examples')
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** A row of the table in examples/README.md. */
export interface ExampleProgram {
  /** As `mnist.ts`. */
  readonly file: string
  /** Packages that it needs beside convlane. */
  readonly needs: readonly string[]
  /** Whether one of them is not installed in the repository: then it is run by `npm run test:outside`. */
  readonly outside: boolean
}

/** The programs that examples/README.md lists. */
export function listedPrograms(): ExampleProgram[] {
  const rows = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| \[`(\w+\.ts)`\]\(\1\) \|.*\|([^|]*)\|$/gm)
  return [...rows].map(([, file, cell]) => {
    const needs = [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
    return { file: file!, needs, outside: needs.some((name) => !(name in devDependencies)) }
  })
}

/** All programs of examples/. */
export const programFiles = (): string[] => readdirSync(folder).filter((file) => file.endsWith('.ts'))

/** Packages that a program imports, beside Node's own and convlane. */
export function importedPackages(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'))
  const names = importedFiles.map(({ fileName }) => /^(@[^/]+\/)?[^/]+/.exec(fileName)![0])
  return [...new Set(names)].filter((name) => !name.startsWith('node:') && name !== 'convlane').sort()
}

/**
 * Puts a program where someone does who copied it into an empty project and installed convlane. Gives the name of the file to run: Node itself takes the types away
 * where it can.
 * @param project an empty folder
 * @param modules where the packages that it needs are
 */
export function installProgram({ file, needs }: ExampleProgram, project: string, modules = join(root, 'node_modules')): string {
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/convlane'), 'junction')
  for (const name of needs) symlinkSync(join(modules, name), join(project, 'node_modules', name), 'junction')
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  const program = (process.features as { typescript?: unknown }).typescript ? file : file.replace(/ts$/, 'js')
  if (program === file) cpSync(join(folder, file), join(project, file))
  else writeFileSync(join(project, program), withoutTypes(file))
  return program
}

/** Runs a program in such a project. */
export function runProgram(example: ExampleProgram, project: string, modules?: string) {
  const program = installProgram(example, project, modules)
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [program], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text)) // biome-ignore format: one line
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

function withoutTypes(file: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  return ts.transpileModule(readFileSync(join(folder, file), 'utf8'), { compilerOptions, fileName: file }).outputText
}
