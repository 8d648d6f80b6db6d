/** What there are prebuilds for: a release of the package has all of them. A musl prebuild runs on musl alone, a glibc one on glibc alone. */
export const prebuildTargets = [
  'linux-x64-glibc',
  'linux-x64-musl',
  'linux-arm64-glibc',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
  'win32-arm64',
] as const

/** Where the package has the prebuild of a target: node-gyp-build's layout. */
export function prebuildFile(target: string): string {
  const [platform, arch, libc] = target.split('-')
  return `prebuilds/${platform}-${arch}/convlane${libc ? `.${libc}` : ''}.node`
}

/**
 * Loads the prebuild of a target. Each is required by a literal path, so that bundlers and file tracers find the files by reading these lines; within
 * `try`, where they let one be missing, as it is in a package that was packed for some targets only.
 */
export function requirePrebuild(target: string): { readonly addon: unknown } | { readonly cause: unknown } {
  try {
    switch (target) {
      case 'linux-x64-glibc':
        return { addon: require('../../prebuilds/linux-x64/convlane.glibc.node') }
      case 'linux-x64-musl':
        return { addon: require('../../prebuilds/linux-x64/convlane.musl.node') }
      case 'linux-arm64-glibc':
        return { addon: require('../../prebuilds/linux-arm64/convlane.glibc.node') }
      case 'linux-arm64-musl':
        return { addon: require('../../prebuilds/linux-arm64/convlane.musl.node') }
      case 'darwin-x64':
        return { addon: require('../../prebuilds/darwin-x64/convlane.node') }
      case 'darwin-arm64':
        return { addon: require('../../prebuilds/darwin-arm64/convlane.node') }
      case 'win32-x64':
        return { addon: require('../../prebuilds/win32-x64/convlane.node') }
      case 'win32-arm64':
        return { addon: require('../../prebuilds/win32-arm64/convlane.node') }
      default:
        throw new Error(`there is none for ${target}, only for ${prebuildTargets.join(', ')}`)
    }
  } catch (cause) {
    return { cause }
  }
}
