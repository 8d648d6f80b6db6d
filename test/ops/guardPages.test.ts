import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { allCases } from '../support/cases'
import { algorithmsOf, binding, checkBits } from '../support/checkCase'
import { runNative, tensorsOf } from '../support/executeStep'
import { runBetweenPages } from '../support/guardPages'

const cases = allCases(binding.kernelInfo())
const ops = [...new Set(cases.map(({ op }) => op))]

describe('no kernel leaves its operands, where that ends the process', () => {
  test.each(ops)('%s', (op) => {
    for (const c of cases.filter((each) => each.op === op)) {
      const tensors = tensorsOf(c, false)
      for (const algorithm of algorithmsOf(c)) {
        const expected = runNative(binding, c, tensors, algorithm)
        for (const place of ['beginning', 'end'] as const)
          checkBits(c, algorithm, `at the ${place} of a memory`, expected, runBetweenPages(binding, c, tensors, algorithm, place))
      }
    }
  })

  // Other systems have no /proc to look it up in.
  test.runIf(process.platform === 'linux')('the pages around a memory can be neither read nor written', () => {
    const script = `
      const memory = new WebAssembly.Memory({ initial: 1 })
      const { readFileSync } = require('node:fs')
      const maps = readFileSync('/proc/self/maps', 'latin1').split('\\n').map((line) => /^(\\w+)-(\\w+) (\\S+)/.exec(line)).filter(Boolean)
      new Uint8Array(memory.buffer).fill(0x5a)
      const at = maps.findIndex(([, from, to, rights]) => rights.startsWith('rw') && BigInt('0x' + to) - BigInt('0x' + from) === 65536n)
      const [before, , after] = maps.slice(at - 1, at + 2)
      console.log(before[3].slice(0, 3), after[3].slice(0, 3))`
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    expect(stdout).toBe('--- ---\n')
  })
})
