import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadModel } from '../../lib/index'
import { convlane } from '../support/cli'
import { temporaryFolder } from '../support/folder'
import { Random } from '../support/random'

const run = ['train', '--epochs', '6', '--variants', '1', '--batch', '48', '--json', '--out', 'm']
const lastLine = (text: string) => JSON.parse(text.trimEnd().split('\n').at(-1)!)
/** A quarter of them while a checkpoint is written. */
const KILLS = Number(process.env.CONVLANE_KILLS ?? 2)
const WRITING = Math.ceil(KILLS / 4)

/** What kills its process while the checkpoint of this number is written: half-way, or when all is written that was to be renamed. */
const killing = (count: number, moment: 'write' | 'sync') => `
const files = require('node:fs/promises')
const { open } = files
let begun = 0
files.open = async (file, ...options) => {
  const handle = await open(file, ...options)
  if (!/\\.c\\.[0-9a-f]+\\.tmp$/.test(file) || ++begun < ${count}) return handle
  const work = handle.${moment}.bind(handle)
  handle.${moment} = async (bytes, at, length) => {
    await work(bytes, at, length >> 1)
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  return handle
}`

test(`killed at ${KILLS} moments, ${WRITING} of them while a checkpoint is written, and resumed each time: the weights of a run left alone`, async () => {
  const cwd = temporaryFolder()
  const { code, stdout } = await convlane(run, { cwd })
  expect(code).toBe(0)
  const expected = lastLine(stdout).weightsSha256
  const preload = join(temporaryFolder(), 'killing.cjs')
  const random = new Random(11)
  const done = { timed: 0, writing: 0 }
  for (let attempt = 0; done.timed + done.writing < KILLS; attempt++) {
    expect(attempt).toBeLessThan(200)
    const kind = done.writing < WRITING && (attempt % 3 === 0 || done.timed === KILLS - WRITING) ? 'writing' : 'timed'
    let timer: NodeJS.Timeout | undefined
    const onStart = (child: ChildProcess) => {
      if (kind === 'timed') timer = setTimeout(() => child.kill('SIGKILL'), random.between(300, 1500))
    }
    if (kind === 'writing') writeFileSync(preload, killing(random.whole(1, 9), random.whole(0, 1) === 0 ? 'write' : 'sync'))
    const env = kind === 'writing' ? { NODE_OPTIONS: `--require ${JSON.stringify(preload)}` } : {}
    const result = await convlane([...run, '--checkpoint', 'c', '--every', '2', '--resume'], { cwd, env, onStart })
    clearTimeout(timer)
    if (result.code === null) {
      if (kind === 'writing') expect(readdirSync(cwd).some((name) => name.startsWith('.c.'))).toBe(true)
      done[kind]++
      continue
    }
    expect(result.stderr).not.toContain('convlane: ')
    expect(lastLine(result.stdout).weightsSha256).toBe(expected)
    rmSync(join(cwd, 'c'))
  }
  const last = await convlane([...run, '--checkpoint', 'c', '--resume'], { cwd })
  expect(last.code).toBe(0)
  expect(lastLine(last.stdout).weightsSha256).toBe(expected)
  expect(readdirSync(cwd).sort()).toEqual(['c', 'm'])
}, 400_000)

test('stopped by Ctrl-C and resumed: the same weights, whatever else is said', async () => {
  const cwd = temporaryFolder()
  const quick = ['train', '--epochs', '20', '--variants', '1', '--out', 'm', '--checkpoint', 'c']
  const onOutput = (text: string, child: ChildProcess) => void (!child.killed && text.includes('epoch ') && child.kill('SIGINT'))
  let stopped = await convlane(quick, { cwd, onOutput })
  // On a busy machine the run may end before the signal comes.
  for (let tries = 0; stopped.code === 0 && tries < 5; tries++) stopped = await convlane(quick, { cwd, onOutput })
  expect(stopped.code).toBe(130)
  const other = await convlane(['train', '--epochs', '21', '--variants', '1', '--checkpoint', 'c', '--resume'], { cwd })
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('cannot resume from c: its run had note')])
  const resumed = await convlane([...quick, '--resume', '--json'], { cwd })
  expect(resumed.stderr).toContain('going on from c\n')
  const undisturbed = await convlane(['train', '--epochs', '20', '--variants', '1', '--out', 'm', '--json'], { cwd })
  expect(lastLine(resumed.stdout).weightsSha256).toBe(lastLine(undisturbed.stdout).weightsSha256)
}, 120_000)

test('a checkpoint is not replaced by a run that does not go on from it', async () => {
  const cwd = temporaryFolder()
  const quick = ['train', '--epochs', '1', '--variants', '1', '--out', 'm', '--checkpoint', 'c']
  expect((await convlane(quick, { cwd })).code).toBe(0)
  const whole = readFileSync(join(cwd, 'c'))
  const again = await convlane(quick, { cwd })
  const hint = 'c is there already: --resume goes on from it; remove it to begin anew'
  expect(again).toEqual({ code: 2, stdout: '', stderr: `convlane: --checkpoint: ${hint} (see convlane train --help)\n` })
  expect(readFileSync(join(cwd, 'c'))).toEqual(whole)
  const ended = await convlane([...quick, '--resume'], { cwd })
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('going on from c\n')])
  writeFileSync(join(cwd, 'c'), '')
  expect((await convlane(quick, { cwd })).code).toBe(0)
}, 60_000)

test('where a checkpoint cannot be written the weights are saved', async () => {
  const cwd = temporaryFolder()
  mkdirSync(join(cwd, 'there'))
  const argv = ['train', '--epochs', '40', '--variants', '1', '--out', 'm', '--checkpoint', 'there/c']
  const failed = await convlane(argv, {
    cwd,
    onOutput: (text) => void (text.includes('epoch ') && rmSync(join(cwd, 'there'), { recursive: true, force: true })),
  })
  expect([failed.code, failed.stderr]).toEqual([1, 'convlane: cannot write there/c: no such file or directory (FILE_ERROR)\n'])
  expect(failed.stdout).toMatch(/\nsaved m, as the training left it\n$/)
  expect((await loadModel(join(cwd, 'm'))).history).toBeUndefined()

  writeFileSync(join(cwd, 'm'), 'of another run')
  writeFileSync(join(cwd, 'c'), 'no checkpoint')
  expect((await convlane(['train', '--out', 'm', '--checkpoint', 'c', '--resume'], { cwd })).code).toBe(1)
  expect(readFileSync(join(cwd, 'm'), 'utf8')).toBe('of another run')
}, 60_000)

test('says where a run begins, and refuses a file that is no checkpoint', async () => {
  const cwd = temporaryFolder()
  for (const name of ['c', 'm']) writeFileSync(join(cwd, `.${name}.0123456789ab.tmp`), 'what a killed run leaves')
  const first = await convlane(['train', '--epochs', '1', '--variants', '1', '--out', 'm', '--checkpoint', 'c', '--resume'], { cwd })
  expect(readdirSync(cwd).sort()).toEqual(['c', 'm'])
  expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('no checkpoint c yet: from the beginning\n')])
  writeFileSync(join(cwd, 'c'), 'this is no checkpoint at all')
  const second = await convlane(['train', '--checkpoint', 'c', '--resume'], { cwd })
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/^convlane: c: not a safetensors file.*\(INVALID_FILE\)\n$/)])
}, 60_000)
