import { type IncomingMessage, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** One request of a client that follows no rule of browsers. */
export function ask(
  url: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent: false, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text })).on('error', reject)
    })
    asking.on('error', reject).end()
  })
}

// biome-ignore lint/suspicious/noExplicitAny: what an event holds is looked at by each test
export type Event = { readonly name: string; readonly data: any }

/** A stream of events that is read. */
export interface Listener {
  readonly status: number
  readonly events: Event[]
  /** Resolves with the first event of that name, of those that came and those to come; rejects when the stream ends without. */
  next(name: string): Promise<Event>
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>
  readonly response: IncomingMessage
  leave(): void
}

export function listen(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent: false, headers }, (response) => {
      const events: Event[] = []
      let text = ''
      let wake = () => {}
      let isOver = false
      response.setEncoding('utf8').on('data', (piece: string) => {
        const parts = (text + piece).split('\n\n')
        text = parts.pop()!
        for (const part of parts) {
          const found = /^event: ([^\n]*)\ndata: ([^\n]*)$/.exec(part)
          if (found) events.push({ name: found[1]!, data: JSON.parse(found[2]!) })
        }
        wake()
      })
      const ended = new Promise<void>((done) =>
        response.on('close', () => {
          isOver = true
          wake()
          done()
        }),
      )
      response.on('error', () => {})
      const next = async (name: string): Promise<Event> => {
        for (;;) {
          const found = events.find((event) => event.name === name)
          if (found) return found
          if (isOver) throw new Error(`the stream ended without "${name}"`)
          await new Promise<void>((woken) => {
            wake = woken
          })
        }
      }
      resolve({ status: response.statusCode!, events, next, ended, response, leave: () => asking.destroy() })
    })
    asking.on('error', reject).end()
  })
}

/** What a page knows after these events. */
export function told(events: readonly Event[]) {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const state: any = { at: [], columns: {}, epochs: [] }
  for (const { name, data } of events) {
    if (name !== 'state' && name !== 'update') continue
    if (name === 'state') Object.assign(state, { run: data.run, stride: data.stride, columns: {} })
    state.now = data.now
    state.at.splice(data.from, Number.POSITIVE_INFINITY, ...data.at)
    for (const [column, values] of Object.entries(data.columns as Record<string, number[]>)) {
      state.columns[column] ??= []
      state.columns[column].splice(data.from, Number.POSITIVE_INFINITY, ...values)
    }
    state.epochs.splice(data.epochsFrom, Number.POSITIVE_INFINITY, ...data.epochs)
  }
  return state
}
