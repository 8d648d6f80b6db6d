/** What the build remembers: a hash of the sources and outputs of each target, and a lock against two builds at once. */
import { createHash } from 'node:crypto'
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What is installed within a folder (a peer of the benches) is no source of it. */
function* filesOf(path) {
  if (!statSync(path).isDirectory()) yield path
  else for (const name of readdirSync(path).sort()) if (name !== 'node_modules') yield* filesOf(join(path, name))
}

/** Sources by content, so that a checkout that only changes times builds nothing; outputs by size and time, so that a foreign one is noticed. */
function fingerprint({ sources, outputs }) {
  const hash = createHash('sha256')
  for (const source of sources) {
    if (!existsSync(join(root, source))) continue
    for (const file of filesOf(join(root, source))) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file))
  }
  for (const output of outputs) {
    const { size, mtimeMs } = statSync(join(root, output))
    hash.update(`${output}\0${size}\0${mtimeMs}`)
  }
  return hash.digest('hex')
}

export function isFresh(target) {
  const stamp = join(root, target.stamp)
  const isPresent = existsSync(stamp) && target.outputs.every((output) => existsSync(join(root, output)))
  return isPresent && readFileSync(stamp, 'utf8') === fingerprint(target)
}

export function recordBuild(target) {
  writeFileSync(join(root, target.stamp), fingerprint(target))
}

const lock = join(root, 'node_modules', '.convlane-build.lock')
const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Makes the lock file, with this process's number in it from the first moment that others can see it. */
function takeLock() {
  const own = `${lock}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(own)
  }
}

/** Runs `work` while no other build of this folder runs. The lock of a build that was killed is taken over. */
export function withLock(work) {
  for (let isTold = false; !takeLock(); isTold = true) {
    const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0
    if (owner !== 0 && !isAlive(owner)) {
      rmSync(lock, { force: true })
    } else {
      if (!isTold) process.stderr.write('another build is running here; waiting for it …\n')
      sleep(200)
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}
