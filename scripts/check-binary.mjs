/**
 * Checks a stripped addon for Linux: that it is small, that it loads wherever the oldest supported Node does (the versions of glibc and libstdc++
 * that it asks for, the libraries, nothing of Node beyond Node-API 8), and that it keeps its own symbols to itself.
 *
 *   node scripts/check-binary.mjs FILE…
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import headers from 'node-api-headers'
import { root } from './build-state.mjs'

/** Official builds of Node 20 ask for glibc 2.28; the systems that have it, for instance RHEL 8 and Debian 10, have the libstdc++ of GCC 8. */
const highest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' }
const highestMusl = { GLIBCXX: '3.4.32', CXXABI: '1.3.14', GCC: '7.0.0' } // Alpine 3.19
const largest = 3_000_000
const libraries = /^(lib(stdc\+\+\.so\.6|gcc_s\.so\.1|m\.so\.6|c\.so\.6|pthread\.so\.0|c\.musl-\w+\.so\.1)|ld-linux-[\w-]+\.so\.[12])$/
const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
const machines = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }

const readelf = (file, ...options) =>
  execFileSync('readelf', [...options, '-W', file], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
const isHigher = (a, b) => a.localeCompare(b, 'en', { numeric: true }) > 0
const matches = (text, pattern) => [...text.matchAll(pattern)].map(([, ...groups]) => groups)

/** What is wrong with the file, and in a line what it needs. */
export function checkBinary(file) {
  const faults = []
  const { size } = statSync(file)
  if (size >= largest) faults.push(`${size} bytes, not below ${largest}`)
  if (readFileSync(file).readUInt32BE(0) !== 0x7f454c46) return { faults, facts: `${size} bytes` }

  const [arch] = basename(dirname(file)).split('-').slice(1)
  const machine = /Machine:\s+(.*)/.exec(readelf(file, '-h'))?.[1]
  if (machines[arch] && machine !== machines[arch]) faults.push(`is for ${machine}`)
  if (/\.debug_|\.symtab/.test(readelf(file, '-S'))) faults.push('is not stripped')
  if (/RPATH|RUNPATH/.test(readelf(file, '-d'))) faults.push('has a search path of the machine that built it')
  for (const [library] of matches(readelf(file, '-d'), /NEEDED.*\[(.*)\]/g)) {
    if (!libraries.test(library)) faults.push(`needs ${library}`)
  }

  const symbols = matches(
    readelf(file, '--dyn-syms'),
    /^\s*\d+: \S+ .* (?:GLOBAL|WEAK) +\w+ +(UND|\d+) (\S+?)(?:@+(\w+?)_([\d.]+)(?: \(\d+\))?)?\s*$/gm,
  )
  const floor = {}
  const limits = file.endsWith('.musl.node') ? highestMusl : highest
  for (const [section, name, library, version] of symbols) {
    if (section !== 'UND' && !exported.includes(name)) faults.push(`exports ${name}`)
    if (library && (!floor[library] || isHigher(version, floor[library]))) floor[library] = version
    if (library && isHigher(version, limits[library] ?? '')) faults.push(`needs ${name} of ${library} ${version}`)
    const isNodes = section === 'UND' && /^(napi|node)_/.test(name)
    if (isNodes && !headers.symbols.v8.node_api_symbols.concat(headers.symbols.v8.js_native_api_symbols).includes(name))
      faults.push(`${name} is not of Node-API 8`)
    if (/^napi_create_external_(array)?buffer$/.test(name)) faults.push(`${name} fails in Electron`)
  }
  for (const name of exported) if (!symbols.some(([section, symbol]) => section !== 'UND' && symbol === name)) faults.push(`lacks ${name}`)
  return { faults, facts: [`${size} bytes`, ...Object.entries(floor).map(([library, version]) => `${library} ${version}`)].join(', ') }
}

if (process.argv[1] === import.meta.filename) {
  const files = process.argv.slice(2)
  for (const file of files) {
    const { faults, facts } = existsSync(file) ? checkBinary(file) : { faults: ['there is no such file'], facts: '' }
    process.stdout.write(`${relative(root, resolve(file))}: ${facts}\n${faults.map((fault) => `  ${fault}\n`).join('')}`)
    if (faults.length > 0) process.exitCode = 1
  }
}
