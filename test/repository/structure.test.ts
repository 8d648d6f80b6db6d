import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(__dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

function filesIn(folder: string, ending: RegExp): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}

/** Paths that the annotated tree of CONTRIBUTING.md names. */
function namedPaths(): string[] {
  const tree = /## The tree\n+```\n([\s\S]*?)```/.exec(read('CONTRIBUTING.md'))![1]!
  let folder = ''
  return tree.split('\n').flatMap((line) => {
    const names = line.split(/ {2,}/).filter(Boolean)[0]?.split(' ') ?? []
    if (line.startsWith(' ')) return names.map((name) => folder + name)
    if (names.length === 1 && names[0]!.endsWith('/')) folder = names[0]!
    return names
  })
}

test('the tree in CONTRIBUTING.md names what exists, and every folder of lib and native', () => {
  const paths = namedPaths()
  expect(paths.length).toBeGreaterThan(20)
  for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true)
  for (const parent of ['lib', 'native']) {
    const folders = readdirSync(join(root, parent)).filter((name) => statSync(join(root, parent, name)).isDirectory())
    for (const name of folders) expect(paths).toContain(`${parent}/${name}/`)
  }
})

test('one file loads the binary; only addon and bind know JavaScript', () => {
  const loaders = filesIn('lib', /\.ts$/).filter((file) => /require\('node-gyp-build'\)/.test(read(file)))
  expect(loaders).toEqual(['lib/loader/find.ts'])
  const users = filesIn('native', /\.(h|cpp)$/).filter((file) => /#include <napi\.h>/.test(read(file)))
  for (const file of users) expect(file).toMatch(/^native\/(addon\.cpp|bind\/)/)
})

test('arrows between the native folders point down only', () => {
  const below: Record<string, string[]> = {
    bind: ['program', 'core', 'cpu'],
    program: ['core', 'cpu'],
    core: ['cpu', 'program'],
    cpu: ['core'],
    targets: ['simd', 'kernels', 'cpu'],
    kernels: ['simd', 'cpu'],
    simd: ['kernels', 'cpu'],
  }
  for (const [folder, allowed] of Object.entries(below)) {
    for (const file of filesIn(`native/${folder}`, /\.(h|cpp)$/)) {
      for (const [, target] of read(file).matchAll(/#include "\.\.\/([a-z]+)\//g)) expect([folder, ...allowed], file).toContain(target)
    }
  }
})

test('the package runs nothing when it is installed, and names no registry', () => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'])
    expect(scripts).not.toHaveProperty(name)
  expect(existsSync(join(root, 'binding.gyp'))).toBe(false)
  expect(read('package-lock.json')).not.toContain('"resolved"')
})
