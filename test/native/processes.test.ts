import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { binary, native, root } from './programs.cjs'

const folder = mkdtempSync(join(tmpdir(), 'convlane-processes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const show = `process.stdout.write(require(${JSON.stringify(binary)}).threads() + ' ')`
const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 })

describe('the number of threads', () => {
  test('is what CONVLANE_THREADS says', () => {
    expect(run(process.execPath, ['-e', show], { CONVLANE_THREADS: '3' }).stdout).toBe('3 ')
  })

  test.each(['0', '1025', '-1', '1.5', '2x', 'x', ' 2', '0x2', '99999999999'])('is no %s: that is an error of loading', (value) => {
    const script = `try { ${show} } catch (error) { process.stdout.write(error.code + ' ' + error.message) }`
    expect(run(process.execPath, ['-e', script], { CONVLANE_THREADS: value }).stdout).toBe(
      `INVALID_ARGUMENT CONVLANE_THREADS is "${value}", expected an integer from 1 to 1024`,
    )
  })

  test.each(['0', '1048577', '-1', '32MB', ' 32'])('and %s MB of cache are none: that is an error of loading, too', (value) => {
    const script = `try { ${show} } catch (error) { process.stdout.write(error.code + ' ' + error.message) }`
    expect(run(process.execPath, ['-e', script], { CONVLANE_LAST_CACHE: value }).stdout).toBe(
      `INVALID_ARGUMENT CONVLANE_LAST_CACHE is "${value}", expected MB, an integer from 1 to 1048576`,
    )
  })

  test('is the default where CONVLANE_THREADS is empty', () => {
    expect(run(process.execPath, ['-e', show], { CONVLANE_THREADS: '' }).stdout).toBe(`${native.defaultThreads()} `)
  })

  test('is one in each worker of a cluster, unless it is given', () => {
    const script = join(folder, 'cluster.cjs')
    const lib = join(root, 'dist/index.js')
    writeFileSync(
      script,
      `const cluster = require('node:cluster')
      if (cluster.isPrimary) for (let i = 0; i < 2; i++) cluster.fork()
      else {
        process.stdout.write(require(${JSON.stringify(lib)}).threads() + ' ')
        cluster.worker.disconnect()
      }`,
    )
    expect(run(process.execPath, [script]).stdout).toBe('1 1 ')
    expect(run(process.execPath, [script], { CONVLANE_THREADS: '3' }).stdout).toBe('3 3 ')
  })

  test('is at most the quota of the container', ({ skip }) => {
    if (process.platform !== 'linux' || run('unshare', ['-m', 'true']).status !== 0) skip('needs the right to mount')
    // What the kernel's files say in a container with half a CPU: version 2 of control groups, and version 1.
    const half: Record<string, Record<string, string>> = {
      '0::/\n': { 'cpu.max': '50000 100000' },
      '1:cpu:/\n': { 'cpu/cpu.cfs_quota_us': '50000', 'cpu/cpu.cfs_period_us': '100000' },
    }
    for (const [groups, files] of Object.entries(half)) {
      const system = mkdtempSync(join(folder, 'cgroup-'))
      mkdirSync(join(system, 'cpu'))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(system, name), text)
      writeFileSync(join(folder, 'groups'), groups)
      const mounted = `mount --bind ${join(folder, 'groups')} /proc/$$/cgroup && mount --bind ${system} /sys/fs/cgroup`
      const { stdout, stderr } = run('unshare', ['-m', 'sh', '-c', `${mounted} && exec ${process.execPath} -e "$0"`, show])
      expect({ stdout, stderr }, groups).toEqual({ stdout: '1 ', stderr: '' })
    }
  })
})

// Other systems have no /proc to tell what the process takes; the sanitizers need more address space than a limit could leave them.
test.runIf(process.platform === 'linux' && !process.env.LD_PRELOAD)('a result that JavaScript has no memory for is OUT_OF_MEMORY', () => {
  const elements = 2 ** 26
  const read = (length: number, then: string) => `
    const state = require(${JSON.stringify(binary)}).createState(${elements})
    state.read(0, ${length}).then(() => ${then}, (error) => process.stdout.write(error.code + ' ' + error.message))`
  const size = `process.stdout.write(/VmSize:\\s*(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'latin1'))[1])`
  const within = () => {
    const before = Number(run(process.execPath, ['-e', read(1, size)]).stdout)
    // Room for the copy that the core makes, and for half of what becomes of it.
    const shell = `ulimit -v ${before + Math.round((1.5 * 4 * elements) / 1024)}; exec "$0" -e "$1"`
    const { stdout, status } = run('sh', ['-c', shell, process.execPath, read(elements, `process.stdout.write('read')`)])
    return { stdout, status }
  }
  // Node takes up more or less, so that sometimes its own heap, or the core's copy, is what there is no memory for: about one in four times.
  const expected = { stdout: `OUT_OF_MEMORY cannot allocate an ArrayBuffer of ${4 * elements} bytes`, status: 0 }
  let last = within()
  for (let more = 20; more > 0 && last.stdout !== expected.stdout; more--) last = within()
  expect(last).toEqual(expected)
})
