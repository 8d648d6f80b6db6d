import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { cachedIdx } from '../../lib/data/idx-cache'
import { mnist } from '../../lib/data/mnist'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'

const content = idxBytes([3, 4, 5])
const gzipped = gzipSync(content)
const sha256 = createHash('sha256').update(content).digest('hex')
const original = (url: string) => ({ url, bytes: content.length, sha256 })

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
  vi.unstubAllEnvs()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe('a file from the cache or the mirror', () => {
  const options = { download: true, stallMs: 30_000 }

  test('is downloaded once', async () => {
    let requests = 0
    const url = await serve((_, response) => {
      requests++
      response.end(gzipped)
    })
    const file = join(temporaryFolder(), 'deep', 'cache', 'f.gz')
    const seen: string[] = []
    const first = await cachedIdx(file, original(url), { ...options, onDownload: (from) => seen.push(from) })
    const second = await cachedIdx(file, original(url), { ...options, download: false })
    expect(first.shape).toEqual([3, 4, 5])
    expect(second).toEqual(first)
    expect(requests).toBe(1)
    expect(seen).toEqual([url])
    expect(readFileSync(file).equals(gzipped)).toBe(true)
  })

  test('may come uncompressed', async () => {
    const url = await serve((_, response) => response.end(content))
    expect((await cachedIdx(join(temporaryFolder(), 'f.gz'), original(url), options)).shape).toEqual([3, 4, 5])
  })

  test('is downloaded again when the cached copy is damaged', async () => {
    const url = await serve((_, response) => response.end(gzipped))
    const file = join(temporaryFolder(), 'f.gz')
    writeFileSync(file, gzipped.subarray(0, 20))
    await expect(cachedIdx(file, original(url), { ...options, download: false })).rejects.toMatchObject({ code: 'INVALID_FILE' })
    expect((await cachedIdx(file, original(url), options)).shape).toEqual([3, 4, 5])
    expect(readFileSync(file).equals(gzipped)).toBe(true)
  })

  const breakOff: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': gzipped.length })
    response.write(gzipped.subarray(0, 30), () => response.destroy())
  }
  const other = Buffer.from(content).fill(7, 20, 21)
  test.each<[string, RequestListener, string, RegExp]>([
    [
      'answers 404',
      (_, response) => response.writeHead(404).end('none'),
      'OFFLINE',
      /cannot download http.*: the server answered 404 Not Found/,
    ],
    ['answers 500', (_, response) => response.writeHead(500).end(), 'OFFLINE', /answered 500/],
    ['breaks off', breakOff, 'OFFLINE', /cannot download .*: .+/],
    ['sends less and says so', (_, response) => response.end(gzipped.subarray(0, 30)), 'INVALID_FILE', /damaged gzip data/],
    ['sends something else', (_, response) => response.end(gzipSync(other)), 'INVALID_FILE', /expected SHA-256 \w{64}, received \w{64}/],
    ['sends a page', (_, response) => response.end('<html>'), 'INVALID_FILE', /not the original file/],
    ['sends a bomb', (_, response) => response.end(gzipSync(Buffer.alloc(1 << 24))), 'INVALID_FILE', /holds more than the 76 bytes/],
    ['sends without end', (_, response) => void response.write(Buffer.alloc(1 << 20)), 'OFFLINE', /larger than 65612 bytes/],
  ])('is refused when the server %s; nothing is kept', async (_, listener, code, message) => {
    const folder = temporaryFolder()
    const result = cachedIdx(join(folder, 'f.gz'), original(await serve(listener)), options)
    await expect(result).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(readdirSync(folder)).toEqual([])
  })

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['stops in the middle', (_, response) => void response.write(gzipped.subarray(0, 30))],
  ])('is given up when the server %s', async (_, listener) => {
    const result = cachedIdx(join(temporaryFolder(), 'f.gz'), original(await serve(listener)), { ...options, stallMs: 50 })
    await expect(result).rejects.toMatchObject({ code: 'OFFLINE', message: expect.stringMatching(/no data for 0.05 s/) })
  })

  test('stops when the signal says so', async () => {
    const controller = new AbortController()
    const url = await serve(() => controller.abort())
    const result = cachedIdx(join(temporaryFolder(), 'f.gz'), original(url), { ...options, signal: controller.signal })
    await expect(result).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('says so plainly when there is no network', async () => {
    const url = await serve(() => {})
    closing.pop()?.()
    const result = cachedIdx(join(temporaryFolder(), 'f.gz'), original(url), options)
    await expect(result).rejects.toMatchObject({ code: 'OFFLINE', message: expect.stringMatching(/cannot download .*ECONNREFUSED/) })
  })

  test('is reported when the cache cannot be written', async () => {
    const url = await serve((_, response) => response.end(gzipped))
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    const result = cachedIdx(join(file, 'f.gz'), original(url), options)
    await expect(result).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringMatching(/cannot create/) })
  })
})

describe('mnist', () => {
  test('asks CONVLANE_MNIST_URL for the usual names, and takes nothing but the original', async () => {
    const paths: (string | undefined)[] = []
    const base = await serve((request, response) => {
      paths.push(request.url)
      response.end(gzipped)
    })
    vi.stubEnv('CONVLANE_MNIST_URL', `${base}some/where`)
    vi.stubEnv('XDG_CACHE_HOME', temporaryFolder())
    await expect(mnist()).rejects.toMatchObject({ code: 'INVALID_FILE' })
    expect(paths).toEqual(['/some/where/train-images-idx3-ubyte.gz'])
    expect(existsSync(join(process.env.XDG_CACHE_HOME!, 'convlane'))).toBe(false)
  })

  test('says what is missing when it may not download', async () => {
    const cacheDir = temporaryFolder()
    const message = `${join(cacheDir, 'train-images-idx3-ubyte.gz')} is missing and download is off`
    await expect(mnist({ cacheDir, download: false })).rejects.toMatchObject({ code: 'FILE_ERROR', message })
  })

  test.each<[object]>([
    [{ dir: 5 }],
    [{ cacheDir: 5 }],
    [{ folder: '/tmp' }],
    [{ download: 'no' }],
    [{ stallMs: 0 }],
    [{ signal: {} }],
    [{ onDownload: true }],
  ])('refuses %j', async (options) => {
    await expect(mnist({ ...options, url: 'file:///none' } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('refuses a URL that is none', async () => {
    await expect(mnist({ cacheDir: temporaryFolder(), url: 'file:///etc' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  const dir = process.env.CONVLANE_MNIST_DIR
  // The real files are 11 MB, and not part of the repository; the same way with small ones is tested above.
  test.skipIf(!dir)('is downloaded whole from a mirror of the real files (needs CONVLANE_MNIST_DIR, a folder that has them)', async () => {
    const url = await serve((request, response) => response.end(readFileSync(join(dir!, request.url!))))
    const cacheDir = temporaryFolder()
    const { train, test: held } = await mnist({ url, cacheDir })
    expect(train.x.shape).toEqual([60000, 28, 28, 1])
    expect(held.x.shape).toEqual([10000, 28, 28, 1])
    const { train: same } = await mnist({ dir: dir! })
    expect(Buffer.compare(same.x.data as Uint8Array, train.x.data as Uint8Array)).toBe(0)
    expect((await mnist({ cacheDir, download: false })).train.length).toBe(60000)
  })
})
