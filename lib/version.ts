import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of the package; `unknown` where a bundler has left its package.json behind. */
export function version(): string {
  try {
    return JSON.parse(readFileSync(join(dirname(__dirname), 'package.json'), 'utf8')).version
  } catch {
    return 'unknown'
  }
}
