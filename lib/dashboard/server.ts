import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { ConvlaneError } from '../errors'
import { page } from './page'

/** Pages that may look at once. */
const MOST_CLIENTS = 16
/** Connections, those of pages and what asks for pages. */
const MOST_CONNECTIONS = 64
/** A connection on which nothing moves is closed after this many milliseconds… */
const STUCK_MS = 30_000
/** …so that something is written this often to those that read. */
const BEAT_MS = 10_000
/** How long the end of a run waits for pages that are slow to take it. */
const FAREWELL_MS = 1000

/** A page that looks. */
export interface Client {
  /** Number of the input whose feature maps it shows. */
  readonly image: number
  /** Number of the last drawing that it was sent. */
  drawing: number
  readonly response: ServerResponse
  /** It was too slow for an update: it gets everything next. */
  isBehind: boolean
}

/** What pages are sent, as events. */
export interface Feed {
  /** How many inputs there are. */
  readonly images: number
  /** The inputs, for one that has just come. */
  inputs(): string
  /** All that the run has told. */
  state(): string
  /** Drawings that this page has not been sent. */
  drawings(client: Client): string
}

/** What a browser must hold to: nothing but what the page itself has, and this server's events. */
const headers = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** Serves the page and its events, and nothing else. Nothing that comes from outside changes anything, or keeps the process alive. */
export class DashboardServer {
  readonly #server: Server
  readonly #feed: Feed
  readonly #host: string
  readonly #clients = new Set<Client>()
  #lastWrite = 0

  constructor(feed: Feed, host: string) {
    this.#feed = feed
    this.#host = host
    const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 }
    this.#server = createServer(limits, (request, response) => this.#answer(request, response))
    this.#server.on('connection', (socket) => void socket.unref())
    this.#server.maxConnections = MOST_CONNECTIONS
    this.#server.timeout = STUCK_MS
  }

  /** Begins; gives the address of the page. Throws PORT_ERROR. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(portError(error, port, this.#host)))
      this.#server.listen({ port, host: this.#host, exclusive: true }, resolve)
    })
    this.#server.unref()
    // From now on an error is of one connection, which ends.
    this.#server.removeAllListeners('error').on('error', () => {})
    const { address, port: given } = this.#server.address() as AddressInfo
    const isAny = address === '0.0.0.0' || address === '::'
    const name = isAny ? hostname() : isIP(this.#host) ? address : this.#host
    return `http://${isIPv6(name) ? `[${name}]` : name}:${given}/`
  }

  /** Numbers of the inputs that somebody looks at. */
  get watched(): Set<number> {
    return new Set([...this.#clients].map(({ image }) => image))
  }

  /**
   * Sends each page what it has not seen. One that has not taken what it was sent before is left alone until it has, so that no more than one message waits for it.
   * @param update what the run has told since the last time
   */
  send(update: string | undefined): void {
    const isBeat = Date.now() - this.#lastWrite > BEAT_MS
    if (update !== undefined || isBeat) this.#lastWrite = Date.now()
    for (const client of this.#clients) {
      if (client.response.writableNeedDrain) {
        client.isBehind ||= update !== undefined
        continue
      }
      const text = (client.isBehind ? this.#feed.state() : (update ?? '')) + this.#feed.drawings(client)
      client.isBehind = false
      if (text !== '') client.response.write(text)
      else if (isBeat) client.response.write(':\n\n')
    }
  }

  /** Says farewell and ends. Twice is allowed. */
  async close(farewell: string): Promise<void> {
    const isListening = this.#server.listening
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { response } of this.#clients) response.end(farewell)
    this.#server.closeIdleConnections()
    if (!isListening) return
    const late = setTimeout(() => this.#server.closeAllConnections(), FAREWELL_MS)
    await closed
    clearTimeout(late)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refuse = (status: number, text: string, more: Readonly<Record<string, string>> = {}) =>
      response.writeHead(status, { ...headers, ...more, 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }).end(`${text}\n`)
    if (request.method !== 'GET') return void refuse(405, 'only GET', { Allow: 'GET' })
    if (!isOwnName(request.headers.host, this.#host)) {
      return void refuse(403, 'ask for this page by an IP address, by localhost, or by the host that the dashboard was given')
    }
    const [path, query] = (request.url ?? '').split('?', 2) as [string, string | undefined]
    if (path === '/') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': page().policy })
      return void response.end(page().html)
    }
    if (path !== '/events') return void refuse(404, 'there is only / and /events')
    // Pages of others may neither read events, which browsers see to, nor take the places of those who look.
    const site = request.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return void refuse(403, 'not for other pages')
    if (this.#clients.size >= MOST_CLIENTS) return void refuse(503, `${MOST_CLIENTS} pages look already`, { 'Retry-After': '10' })
    const image = Number(new URLSearchParams(query).get('image') ?? 0)
    if (!Number.isInteger(image) || image < 0) return void refuse(404, 'there is no such image')
    // A page that was open for an earlier run may ask for more than there is now: it is shown the first.
    this.#welcome({ image: image < this.#feed.images ? image : 0, drawing: 0, response, isBehind: false })
  }

  #welcome(client: Client): void {
    const { response } = client
    response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
    response.on('close', () => this.#clients.delete(client)).on('error', () => {})
    response.write(`retry: 2000\n\n${this.#feed.state()}${this.#feed.inputs()}${this.#feed.drawings(client)}`)
    this.#clients.add(client)
  }
}

/**
 * Whether a request names this machine: by an address, `localhost`, the machine's name or the one that was given. A page elsewhere whose name is made to lead here
 * (DNS rebinding) sends that name.
 */
function isOwnName(header: string | undefined, given: string): boolean {
  const name = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header ?? '')
  if (!name) return false
  const host = (name[1] ?? name[2]!).toLowerCase()
  return isIP(host) !== 0 || [given, 'localhost', hostname()].some((own) => own.toLowerCase() === host)
}

function portError(error: NodeJS.ErrnoException, port: number, host: string): ConvlaneError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is in use; port 0 takes any that is free`,
    EACCES: `port ${port} may not be used by this user; those from 1024 on may`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `${host} is no address of this machine`,
    EAI_AGAIN: `the name ${host} could not be looked up`,
  }
  const reason = reasons[error.code ?? ''] ?? `cannot listen at port ${port} of ${host}: ${error.message}`
  return new ConvlaneError('PORT_ERROR', `dashboard: ${reason}`, { received: port, cause: error })
}
