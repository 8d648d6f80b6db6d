import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Absent, Driver } from './driver'

/** Where the packages of the peers are, seen from the folder of the compiled bench. */
const SOURCES = join(__dirname, '../../bench/peers')
const BUILT = join(__dirname, '../../build-bench/peers')

export interface Peer {
  readonly name: string
  /** Kinds and passes that it is asked for: `conv`, or `conv fwd`. */
  readonly does: readonly string[]
  readonly install: string
  /** The command of its driver, which is built where it must be; throws where that can't be done. */
  command(): readonly string[]
}

/** Compiles a driver when its binary is older than its sources. */
function compiled(folder: string, libraries: readonly string[]): string {
  const source = join(SOURCES, folder, 'driver.cpp')
  const binary = join(BUILT, folder, 'driver')
  const changed = Math.max(...[source, join(SOURCES, 'driver.h')].map((file) => statSync(file).mtimeMs))
  if (existsSync(binary) && statSync(binary).mtimeMs > changed) return binary
  mkdirSync(join(BUILT, folder), { recursive: true })
  const args = ['-std=c++17', '-O2', '-Wall', '-Wextra', source, '-o', binary, ...libraries.map((library) => `-l${library}`)]
  const { status, stderr, error } = spawnSync(process.env.CXX ?? 'g++', args, { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.split('\n').find((line) => line.includes('error')) ?? stderr)
  return binary
}

/** The Python that has Debian's packages comes last: another one that comes first may have a newer PyTorch. */
function pythonWith(module: string): string {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ['python3', '/usr/bin/python3']
  const found = candidates.find(
    (python) => spawnSync(python, ['-c', `import importlib.util as u; assert u.find_spec('${module}')`]).status === 0,
  )
  if (found === undefined) throw new Error(`${candidates.join(' and ')} cannot import ${module}`)
  return found
}

const blas = (name: string, file: string, install: string): Peer => {
  return { name, does: ['gemm'], install, command: () => [compiled('blas', ['dl']), file] }
}
const pytorch = (fmt: string): Peer => ({
  name: 'pytorch',
  does: ['train'],
  install: 'apt-get install python3-torch',
  command: () => [pythonWith('torch'), join(SOURCES, 'pytorch/driver.py'), fmt],
})

/** Each has a package of its own under bench/peers. */
export const peers: readonly Peer[] = [
  { name: 'onednn', does: ['conv', 'gemm'], install: 'apt-get install g++ libdnnl-dev', command: () => [compiled('onednn', ['dnnl'])] },
  blas('openblas', 'libopenblas.so.0', 'apt-get install g++ libopenblas0'),
  blas('blis', 'libblis.so.4', 'apt-get install g++ libblis4-openmp'),
  pytorch('nchw'),
  pytorch('nhwc'),
  {
    name: 'onnxruntime',
    does: ['conv fwd'],
    install: 'ONNXRUNTIME_NODE_INSTALL=skip npm install --prefix bench/peers/onnxruntime',
    command: () => [process.execPath, join(__dirname, 'onnxruntime/driver.js'), join(SOURCES, 'onnxruntime')],
  },
]

/** Whether a peer is asked for this order. */
export const takes = (peer: Peer, order: string): boolean => peer.does.some((what) => `${order} `.startsWith(`${what} `))

/** A driver with so many threads; throws `Absent` where there can be none. */
export async function startPeer(peer: Peer, threads: number): Promise<Driver> {
  try {
    return await Driver.start(peer.name, peer.command(), threads)
  } catch (error) {
    throw new Absent(peer.name, (error as Error).message.trim(), peer.install)
  }
}
