import { ConvlaneError } from '../errors'
import { aborted } from '../io/files'

export interface DownloadOptions {
  /** Most bytes that are taken. */
  readonly maxBytes: number
  /** Longest wait for the next bytes, in milliseconds. */
  readonly stallMs: number
  readonly signal?: AbortSignal
}

/**
 * Fetches a URL whole into memory.
 * @throws `OFFLINE` when it cannot be reached, answers with an error, breaks off, stalls, or sends more than `maxBytes`; `ABORTED`.
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { maxBytes, stallMs, signal } = options
  const stall = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const alive = () => {
    clearTimeout(timer)
    timer = setTimeout(() => stall.abort(), stallMs)
  }
  const offline = (message: string, cause?: unknown) => new ConvlaneError('OFFLINE', `cannot download ${url}: ${message}`, { cause })
  try {
    alive()
    const response = await fetch(url, {
      headers: { 'accept-encoding': 'identity' },
      signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    })
    if (!response.ok || !response.body) {
      stall.abort()
      throw offline(`the server answered ${response.status} ${response.statusText}`.trimEnd())
    }
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      alive()
      bytes += chunk.length
      if (bytes > maxBytes) throw offline(`it is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof ConvlaneError) throw error
    if (signal?.aborted) throw aborted(signal)
    if (stall.signal.aborted) throw offline(`no data for ${stallMs / 1000} s`, error)
    const { cause, message } = error as Error
    throw offline(cause instanceof Error && cause.message ? cause.message : message, error)
  } finally {
    clearTimeout(timer)
  }
}
