import { checkOptions, invalid } from '../check'
import type { Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { Model } from '../model/model'
import { checkInteger, shapeText } from '../shape'
import { checkArray } from '../tensor'
import type { Callback, EpochEvent, History, StepEvent } from '../train/events'
import { Drawings } from './drawings'
import { type End, eventText, RunLog } from './run'
import { type Client, DashboardServer } from './server'

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /** Port to listen at, 0: any that is free. Default 7007. */
  readonly port?: number
  /** Address or name of this machine to listen at. Default `'127.0.0.1'`: nobody from elsewhere gets in. `'0.0.0.0'`: everybody who reaches the machine may look. */
  readonly host?: string
  /** The model that is trained, for feature maps; it must have one input. Given with `images`. */
  readonly model?: Model<never, unknown>
  /** Up to 16 inputs `[N, …]` to show feature maps of. Default: none. Given with `model`. */
  readonly images?: Samples
  /** Names of the layers whose feature maps are shown. Default: all but those that change no number, at most 40. */
  readonly layers?: readonly string[]
  /** What the page is called. Default `'convlane'`. */
  readonly title?: string
  /** How many epochs `fit` was told to do, for the page to show how much is left. Default: it does not. */
  readonly epochs?: number
}

const optionNames = ['port', 'host', 'model', 'images', 'layers', 'title', 'epochs']

/** Where it listens if nobody says. */
export const DEFAULT_PORT = 7007

/** Inputs at most. */
const MOST_IMAGES = 16

/** Pages are told what is new this often, in milliseconds. */
const TICK_MS = 500

/**
 * A page in the browser on which to watch a training: a callback of `fit`, which listens from before the first step to the end of the training. It can be looked at, and nothing else:
 * curves of loss, metrics, learning rate and speed, and feature maps as they form.
 * @throws INVALID_ARGUMENT; INVALID_TENSOR, INVALID_DTYPE and INVALID_SHAPE for `images`; PORT_ERROR from `listen` and fit, before the first step
 */
export function dashboard(options: DashboardOptions = {}): Dashboard {
  return new Dashboard(options)
}

/** Made by {@link dashboard}. */
export class Dashboard implements Callback {
  readonly #port: number
  readonly #host: string
  readonly #facts: { readonly title: string; readonly epochs: number | undefined }
  readonly #images: number
  readonly #drawings: Drawings | undefined
  #log: RunLog
  #listening: { readonly server: DashboardServer; readonly url: Promise<string>; readonly timer: NodeJS.Timeout } | undefined

  /** @internal Use {@link dashboard}. */
  constructor(options: DashboardOptions) {
    checkOptions('dashboard', options, optionNames)
    const { port = DEFAULT_PORT, host = '127.0.0.1', model, images, layers, title = 'convlane', epochs } = options
    this.#port = checkInteger(port, 'dashboard', 'port', 0, 65_535)
    if (typeof host !== 'string' || host === '') throw invalid('dashboard', 'host', 'an address or a name', host)
    if (typeof title !== 'string') throw invalid('dashboard', 'title', 'a string', title)
    if (epochs !== undefined) checkInteger(epochs, 'dashboard', 'epochs')
    this.#host = host
    this.#facts = { title, epochs }
    this.#log = new RunLog(this.#facts)
    if (model !== undefined && !(model instanceof Model)) throw invalid('dashboard', 'model', 'a model', model)
    if ((model === undefined) !== (images === undefined)) throw invalid('dashboard', model ? 'images' : 'model', 'given, too', undefined)
    if (layers !== undefined && !model) throw invalid('dashboard', 'layers', 'given with model and images', layers)
    if (model && images) {
      checkImages(model, images)
      checkLayers(model, layers)
      this.#drawings = new Drawings(model, { shape: images.shape, data: images.data.slice() } as Samples, layers)
    }
    this.#images = images?.shape[0] ?? 0
  }

  /**
   * Listens, if it does not yet: before fit does, to know the address. What listens ends with a fit, or with `close`; it keeps no process alive.
   * @returns the address of the page: `http://127.0.0.1:7007/`
   * @throws PORT_ERROR
   */
  listen(): Promise<string> {
    if (this.#listening) return this.#listening.url
    const feed = {
      images: this.#images,
      inputs: () => this.#drawings?.inputs ?? eventText('inputs', []),
      state: () => this.#log.state,
      drawings: (client: Client) => this.#newDrawing(client),
    }
    const server = new DashboardServer(feed, this.#host)
    const timer = setInterval(() => this.#tick(), TICK_MS).unref()
    const url = Promise.resolve(this.#drawings?.open()).then(() => server.listen(this.#port))
    this.#listening = { server, url, timer }
    url.catch(() => {
      clearInterval(timer)
      this.#listening = undefined
    })
    return url
  }

  /** Ends what listens: pages that are open keep what they show. Twice is allowed. */
  async close(): Promise<void> {
    await this.#end({ why: 'aborted' })
  }

  /** @internal */
  async onTrainBegin(): Promise<void> {
    this.#log = new RunLog(this.#facts)
    await this.listen()
  }

  /** @internal */
  onStep(event: StepEvent): void {
    this.#log.step(event)
  }

  /** @internal */
  onEpoch(event: EpochEvent): void {
    this.#log.epoch(event)
  }

  /** @internal */
  async onTrainEnd({ stopped }: History): Promise<void> {
    const { server } = this.#listening ?? {}
    if (server) await this.#drawings?.drawLast(server.watched, this.#log.at)
    await this.#end({ why: stopped ?? 'done' })
  }

  /** @internal */
  async onTrainError(error: unknown): Promise<void> {
    await this.#end({ why: 'failed', message: error instanceof Error ? error.message : String(error) })
  }

  async #end(end: End): Promise<void> {
    const listening = this.#listening
    if (!listening) return
    await listening.url.catch(() => {})
    clearInterval(listening.timer)
    this.#listening = undefined
    listening.server.send(this.#log.update())
    await listening.server.close(eventText('end', end))
  }

  #tick(): void {
    const { server } = this.#listening!
    this.#drawings?.drawSome(server.watched, this.#log.at)
    server.send(this.#log.update())
  }

  #newDrawing(client: Client): string {
    const latest = this.#drawings?.latest(client.image)
    if (!latest || latest.version === client.drawing) return ''
    client.drawing = latest.version
    return latest.event
  }
}

function checkImages({ architecture: { inputs } }: Model<never, unknown>, images: Samples): void {
  checkArray(images, 'dashboard', 'images', ['Uint8Array', 'Float32Array'])
  const [input, ...others] = inputs
  if (others.length > 0) throw invalid('dashboard', 'model', 'one with one input', `a model with ${inputs.length}`)
  const [n = 0, ...sizes] = images.shape
  if (sizes.join() === input!.shape.join() && n <= MOST_IMAGES) return
  const message = `dashboard: images must have shape [1 to ${MOST_IMAGES}, ${input!.shape.join(', ')}], received ${shapeText(images.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: input!.shape, received: images.shape })
}

function checkLayers({ architecture }: Model<never, unknown>, layers: unknown): void {
  if (layers === undefined) return
  const names = architecture.layers.map(({ name }) => name)
  if (!Array.isArray(layers) || !layers.every((name) => names.includes(name)))
    throw invalid('dashboard', 'layers', `an array of some of ${names.join(', ')}`, layers)
}
