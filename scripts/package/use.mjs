// Copied into the folder of a consumer, and run there: loads the package in both ways and trains.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import * as imported from 'convlane'
import * as importedOps from 'convlane/ops'

const require = createRequire(import.meta.url)
const required = require('convlane')
assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort())
for (const [name, value] of Object.entries(imported)) assert.equal(required[name], value, name)
assert.deepEqual(Object.keys(require('convlane/ops')).sort(), Object.keys(importedOps).sort())
assert.equal(require('convlane/package.json').name, 'convlane')

const { train } = await imported.digits()
const model = imported.sequential(
  { input: [8, 8, 1] },
  imported.conv2d(4, 3, { activation: 'relu' }),
  imported.flatten(),
  imported.dense(10),
)
model.compile({ optimizer: required.sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
const { epochs } = await model.fit(train, { epochs: 2, batchSize: 64 })
assert(epochs[1].loss < epochs[0].loss)
await assert.rejects(async () => model.fit(train, { epochs: 0.5 }), required.ConvlaneError)
const isa = imported.isa()
if (process.env.CONVLANE_ISA) assert.equal(isa, process.env.CONVLANE_ISA)
const host = process.versions.bun
  ? `Bun ${process.versions.bun}`
  : process.versions.deno
    ? `Deno ${process.versions.deno}`
    : `Node ${process.version}`
console.log(
  `  ${host} ${process.platform}-${process.arch}, ${isa}: loaded both ways, loss ${epochs[0].loss.toFixed(3)} -> ${epochs[1].loss.toFixed(3)}`,
)
