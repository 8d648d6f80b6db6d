import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportOnnx } from '../../lib/convert/onnx/export'
import { temporaryFolder } from '../support/folder'
import { layerModels } from '../support/layerModels'

/** Older ones don't know the newest operators that are written. */
const checker = spawnSync('python3', ['-c', 'import onnx; assert onnx.defs.onnx_opset_version() >= 26']).status === 0

test.skipIf(!checker)('every kind of layer is right by onnx.checker (needs a python3 whose onnx knows operator set 26)', async () => {
  const folder = temporaryFolder()
  const files: string[] = []
  for (const [index, { make }] of layerModels.entries()) {
    const model = make()
    for (const [form, options] of Object.entries({ new: {}, old: { layout: 'nhwc', input: 'uint8', opset: 21 } } as const)) {
      const file = `${String(index).padStart(3, '0')}-${form}.onnx`
      await exportOnnx(model, join(folder, file), options)
      files.push(file)
    }
    model.dispose()
  }
  const { status, stdout, stderr } = spawnSync('python3', [join(__dirname, 'check_onnx.py'), folder], { encoding: 'utf8' })
  expect(stdout.trim().split('\n'), stderr).toEqual(files)
  expect(status).toBe(0)
})
