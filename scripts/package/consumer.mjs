/** The folder of a consumer, and what the parts of the proof share. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../build-state.mjs'

export const fixture = (name) => join(root, 'scripts/package', name)
export const hostNode = process.execPath
const isWindows = process.platform === 'win32'

/** What a program needs of the environment to start: no path to a compiler, cmake or python. */
const bare = { PATH: '', ...(isWindows ? { SystemRoot: process.env.SystemRoot, TEMP: process.env.TEMP } : {}) }

/** Runs a program with nothing on its path; its output is shown. */
export function run(command, args, { cwd, env = {}, stdio = 'inherit' } = {}) {
  return execFileSync(command, args, { cwd, stdio: ['ignore', stdio, stdio], env: { ...bare, ...env }, encoding: 'utf8' })
}

export function npm(args, cwd) {
  const options = { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', shell: isWindows }
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], options)
}

/** Packs what is built, and gives the tarball's path. */
export function pack() {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-tarball-'))
  npm(['pack', '--pack-destination', folder], root)
  return join(folder, readdirSync(folder)[0])
}

/** An empty folder with nothing but the tarball installed, without scripts. */
export function install(tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-consumer-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  npm(['install', '--ignore-scripts', tarball], folder)
  copyFileSync(fixture('use.mjs'), join(folder, 'use.mjs'))
  return folder
}

const toolsFolder = join(root, 'build-package/tools')

/** A file of the tools that the proof needs; all are installed at the first call, again only when their list changed. */
export function tool(file) {
  const wanted = readFileSync(fixture('tools.json'), 'utf8')
  const stamp = join(toolsFolder, '.installed')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    mkdirSync(toolsFolder, { recursive: true })
    writeFileSync(join(toolsFolder, 'package.json'), wanted)
    npm(['install', '--ignore-scripts', '--force', '--no-package-lock'], toolsFolder)
    writeFileSync(stamp, wanted)
  }
  return join(toolsFolder, 'node_modules', file)
}
