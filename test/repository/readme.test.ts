import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(__dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test("README's example runs as it stands and learns the digits", () => {
  const example = /```js\n([\s\S]*?)```/.exec(readme)![1]!
  const folder = mkdtempSync(join(tmpdir(), 'convlane-readme-'))
  try {
    writeFileSync(join(folder, 'example.mjs'), example)
    writeFileSync(join(folder, 'package.json'), '{}')
    symlinkSync(root, join(folder, 'convlane'))
    writeFileSync(join(folder, 'example.mjs'), example.replace("'convlane'", "'./convlane/dist/index.mjs'"))
    const output = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' })
    const accuracy = Number(/images never seen: ([\d.]+) %/.exec(output)![1])
    expect(accuracy).toBeGreaterThan(90)
    expect(output).toContain('[ 360, 10 ]')
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 120_000)

test("README's commands exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of ['README.md', 'CONTRIBUTING.md', 'bench/README.md']) {
    const text = readFileSync(join(root, file), 'utf8')
    const names = [...text.matchAll(/npm (?:run (?:--silent )?)?([a-z:0-9-]+)/g)]
      .map(([, name]) => name!)
      .filter((name) => !['ci', 'install', 'run'].includes(name))
    for (const name of names) expect(Object.keys(scripts), `${file}: npm run ${name}`).toContain(name)
  }
})
