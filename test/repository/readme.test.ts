import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(__dirname, '../..')

test("README's commands exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of ['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'examples/README.md']) {
    const text = readFileSync(join(root, file), 'utf8')
    const names = [...text.matchAll(/npm (?:run (?:--silent )?)?([a-z:0-9-]+)/g)]
      .map(([, name]) => name!)
      .filter((name) => !['ci', 'install', 'run'].includes(name))
    for (const name of names) expect(Object.keys(scripts), `${file}: npm run ${name}`).toContain(name)
  }
})
