import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

// Every case at two and three threads runs between such pages (test/support/checkCase.ts): here, that they are what they are taken for.
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
