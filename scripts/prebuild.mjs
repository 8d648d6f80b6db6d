/** Puts the stripped native core of this platform where a package carries it: prebuilds/<platform>-<arch>/convlane.<tags>.node. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build-state.mjs'

const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined
const libc = process.platform === 'linux' ? (isGlibc ? '.glibc' : '.musl') : ''
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
const file = join(folder, `convlane.napi${libc}.node`)
mkdirSync(folder, { recursive: true })
copyFileSync(join(root, 'build/Release/convlane.node'), file)
if (process.platform === 'linux') execFileSync('strip', ['--strip-unneeded', file])
