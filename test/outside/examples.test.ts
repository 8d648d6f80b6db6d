import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listedPrograms, runProgram } from '../support/examplePrograms'
import { temporaryFolder } from '../support/folder'

const programs = listedPrograms().filter(({ outside }) => outside)

test.each(programs)('$file runs beside the packages that it needs, and ends well', async (program) => {
  const { code, output } = await runProgram(program, temporaryFolder(), join(__dirname, 'node_modules'))
  expect(output.split('\n').length, output).toBeGreaterThan(2)
  expect(code, output).toBe(0)
})
