import { dirname } from 'node:path'
import type { Binding } from '../binding'
import { findAddon, type Loaded } from './loader/find'

let loaded: Loaded | undefined

/** The native addon, loaded at the first call. Throws what `findAddon` throws; the next call tries again. */
export function loadNative(): Binding {
  return load().addon as Binding
}

/** The file that `loadNative` loads. */
export function nativeFile(): string {
  return load().file
}

function load(): Loaded {
  loaded ??= findAddon(dirname(__dirname)) // the package's root, from lib/ and from dist/ alike
  return loaded
}
