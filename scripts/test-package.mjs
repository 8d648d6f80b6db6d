/**
 * Packs the package, installs it without scripts into an empty folder, and there, with no compiler in reach: loads it by `import` and by `require`
 * in one process, trains a few steps, and checks its types as both kinds of module.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build-state.mjs'

const use = `
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import * as imported from 'convlane'
import * as importedOps from 'convlane/ops'

const require = createRequire(import.meta.url)
const required = require('convlane')
assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort())
for (const name of Object.keys(imported)) assert.equal(required[name], imported[name], name)
assert.deepEqual(Object.keys(require('convlane/ops')).sort(), Object.keys(importedOps).sort())
assert.equal(require('convlane/package.json').name, 'convlane')

const { train } = await imported.digits()
const model = imported.sequential({ input: [8, 8, 1] }, imported.conv2d(4, 3, { activation: 'relu' }), imported.flatten(), imported.dense(10))
model.compile({ optimizer: required.sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
const { epochs } = await model.fit(train, { epochs: 2, batchSize: 64 })
assert(epochs[1].loss < epochs[0].loss)
await assert.rejects(async () => model.fit(train, { epochs: 0.5 }), required.ConvlaneError)
console.log(\`loaded both ways, \${Object.keys(imported).length} names, \${imported.isa()}, loss \${epochs[0].loss.toFixed(3)} -> \${epochs[1].loss.toFixed(3)}\`)
`

const types = `
import { conv2d, ConvlaneError, dense, flatten, type Model, sequential, type Tensor } from 'convlane'
import { relu } from 'convlane/ops'
export const model: Model = sequential({ input: [8, 8, 1] }, conv2d(4, 3), flatten(), dense(10))
export const y: Tensor = relu({ shape: [1], data: new Float32Array(1) })
export const e: Error = new ConvlaneError('BUSY', 'text')
// @ts-expect-error a flatten() is missing
sequential({ input: [8, 8, 1] }, conv2d(4, 3), dense(10))
`

const folder = mkdtempSync(join(tmpdir(), 'convlane-package-'))
const npm = (args, cwd) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
try {
  npm(['pack', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  npm(['install', '--ignore-scripts', join(folder, tarball)], folder)

  writeFileSync(join(folder, 'use.mjs'), use)
  execFileSync(process.execPath, ['use.mjs'], { cwd: folder, stdio: 'inherit', env: { PATH: '' } })

  for (const extension of ['mts', 'cts']) writeFileSync(join(folder, `types.${extension}`), types)
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ]) {
    const files = resolution === 'bundler' ? ['types.mts'] : ['types.mts', 'types.cts']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, ...options, '--module', module, '--moduleResolution', resolution, ...files], {
      cwd: folder,
      stdio: 'inherit',
    })
  }
  process.stdout.write(`package: ${tarball} installs, loads, trains and type-checks\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
