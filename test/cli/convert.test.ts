import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { conv2d, dense, flatten, loadModel, sequential } from '../../lib/index'
import { convlane } from '../support/cli'
import { temporaryFolder } from '../support/folder'

test('convert takes a model through every format and back, with the bits of its weights', async () => {
  const cwd = temporaryFolder()
  const model = sequential({ input: [6, 5, 2], seed: 4 }, conv2d(3, 3), flatten(), dense(4))
  await model.save(join(cwd, 'a.safetensors'))
  const run = async (...argv: string[]) => {
    const { code, stdout, stderr } = await convlane(['convert', ...argv], { cwd })
    return `${code} ${stdout}${stderr}`
  }
  expect(await run('a.safetensors', 'b.onnx')).toBe('0 wrote b.onnx: 3 layers, 205 parameters, takes 6 x 5 x 2\n')
  expect(await run('b.onnx', 'web/model.json')).toBe('0 wrote web/model.json: 3 layers, 205 parameters, takes 6 x 5 x 2\n')
  const { formats, layers } = JSON.parse((await run('web/model.json', 'c.safetensors', '--json')).slice(2))
  expect([formats, layers]).toEqual([['TensorFlow.js', 'safetensors'], 3])
  const back = await loadModel(join(cwd, 'c.safetensors'))
  expect(await back.getWeights()).toEqual(await model.getWeights())
  const before = readFileSync(join(cwd, 'b.onnx'))
  writeFileSync(join(cwd, 'text.onnx'), 'this is no model')
  expect(await run('text.onnx', 'b.onnx')).toMatch(/^1 convlane: text.onnx: .*\(INVALID_FILE\)/)
  expect(readFileSync(join(cwd, 'b.onnx'))).toEqual(before)
  expect(await run('a.safetensors', 'none/b.onnx')).toMatch(/^1 convlane: cannot write none\/b.onnx: no such file.*\(FILE_ERROR\)/)
  expect(await run('a.safetensors', 'b.pb')).toMatch(/^2 convlane: b.pb: what format is that\?/)
  expect(await run('a.safetensors', 'other/Model.json')).toMatch(/^2 convlane: other\/Model.json: what format is that\?/)
  expect(readdirSync(cwd).sort()).toEqual(['a.safetensors', 'b.onnx', 'c.safetensors', 'text.onnx', 'web'])
})
