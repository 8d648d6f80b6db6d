import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { importedPackages, listedPrograms, programFiles, runProgram } from '../support/examplePrograms'
import { temporaryFolder } from '../support/folder'

const root = join(__dirname, '../..')
const programs = listedPrograms()

test('examples/README.md lists every program once, with the packages that it imports', () => {
  expect(programs.map(({ file }) => file).sort()).toEqual(programFiles().sort())
  for (const { file, needs } of programs) expect(importedPackages(file), file).toEqual([...needs].sort())
})

test('tsconfig.json leaves out those that need other packages, and no others: test/outside checks their types', () => {
  const { exclude } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config as { exclude: string[] }
  const left = exclude.filter((name) => name.startsWith('examples/'))
  expect(left).toEqual(programs.filter(({ outside }) => outside).map(({ file }) => `examples/${file}`))
})

test.each(programs.filter(({ outside }) => !outside))(
  '$file runs in a project that has installed convlane, and ends well',
  async (program) => {
    const project = temporaryFolder()
    const { code, output } = await runProgram(program, project)
    expect(output.split('\n').length, output).toBeGreaterThan(2)
    expect(code, output).toBe(0)
    expect(readdirSync(project).length, 'it leaves no files').toBe(3)
  },
)

test('npm run example NAME runs one in the repository, and tells the names', () => {
  const example = (...args: string[]) => spawnSync(process.execPath, [join(root, 'scripts/example.mjs'), ...args], { encoding: 'utf8' })
  const { status, stdout } = example('byHand', '0')
  expect(stdout).toContain('step 0: cost')
  expect(stdout).not.toContain('step 25')
  expect(status).toBe(1) // one step taught it too little: a program's own exit code
  const { status: refused, stderr } = example('byhand')
  expect(refused).toBe(2)
  expect(stderr).toContain('byHand, cifar10, customLayer')
})
