import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeAtomically } from '../../lib/io/atomic-file'
import { temporaryFolder } from '../support/folder'

const bytes = (text: string) => new TextEncoder().encode(text)

test('writes the chunks one after another, and nothing else into the folder', async () => {
  const folder = temporaryFolder()
  await writeAtomically(join(folder, 'f'), [bytes('one '), new Uint8Array(0), bytes('two')])
  expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('one two')
  expect(readdirSync(folder)).toEqual(['f'])
})

test('replaces an old file and keeps its permissions', async () => {
  const file = join(temporaryFolder(), 'f')
  writeFileSync(file, 'a longer old text')
  chmodSync(file, 0o640)
  await writeAtomically(file, [bytes('new')])
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(statSync(file).mode & 0o777).toBe(0o640)
})

test('replaces an old file under the permission model of Node, which has no fchmod', () => {
  const file = join(temporaryFolder(), 'f')
  writeFileSync(file, 'a longer old text', { mode: 0o600 })
  const model = ['--permission', '--experimental-permission'].find((flag) => process.allowedNodeEnvironmentFlags.has(flag))!
  const library = JSON.stringify(join(__dirname, '../../dist/index.js'))
  const script = `require(${library}).writeSafetensors(${JSON.stringify(file)}, {}).catch(({ message }) => process.stdout.write(message))`
  const flags = [model, '--allow-addons', '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings']
  expect(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })).toBe('')
  expect(readFileSync(file, 'utf8')).toContain('{}')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('writes where a symbolic link points', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'real'), 'old')
  symlinkSync('real', join(folder, 'link'))
  await writeAtomically(join(folder, 'link'), [bytes('new')])
  expect(readlinkSync(join(folder, 'link'))).toBe('real')
  expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new')
})

test('writes where a symbolic link points, before there is anything', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'deep'))
  symlinkSync('deep/second', join(folder, 'first'))
  symlinkSync('../real', join(folder, 'deep', 'second'))
  await writeAtomically(join(folder, 'first'), [bytes('new')])
  expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new')
  expect([readlinkSync(join(folder, 'first')), readlinkSync(join(folder, 'deep', 'second'))]).toEqual(['deep/second', '../real'])
})

test.skipIf(process.platform === 'win32')('writes into a pipe (Windows has none among files), and leaves it there', async () => {
  const folder = temporaryFolder()
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const [read] = await Promise.all([readFile(pipe, 'utf8'), writeAtomically(pipe, [bytes('one '), bytes('two')])])
  expect(read).toBe('one two')
  expect(statSync(pipe).isFIFO()).toBe(true)
  expect(readdirSync(folder)).toEqual(['pipe'])
})

test('leaves the old file as it was, and nothing beside it, when the writing fails half way', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'f')
  writeFileSync(file, 'old')
  const cause = new Error('the disk is gone')
  function* failing() {
    yield bytes('half')
    throw cause
  }
  await expect(writeAtomically(file, failing())).rejects.toMatchObject({
    code: 'FILE_ERROR',
    cause,
    message: `cannot write ${file}: the disk is gone`,
  })
  expect(readFileSync(file, 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['f'])
})

test('leaves the old file in a folder that may only be read', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'f')
  writeFileSync(file, 'old')
  chmodSync(folder, 0o555)
  // Root may write everywhere: try it as nobody.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    await expect(writeAtomically(file, [bytes('new')])).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: `cannot write ${file}: permission denied`,
      cause: expect.objectContaining({ code: 'EACCES' }),
    })
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(folder, 0o755)
  }
  expect(readFileSync(file, 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['f'])
})

test('says what is in the way: a folder that is missing, a folder of that name', async () => {
  const folder = temporaryFolder()
  await expect(writeAtomically(join(folder, 'none', 'f'), [])).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('no such file or directory'),
  })
  mkdirSync(join(folder, 'taken'))
  await expect(writeAtomically(join(folder, 'taken'), [bytes('x')])).rejects.toMatchObject({ code: 'FILE_ERROR' })
  expect(readdirSync(folder)).toEqual(['taken'])
})
