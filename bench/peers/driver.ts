import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Answer } from './protocol'

/** Why a peer takes no part, and the command that installs it. */
export class Absent extends Error {
  constructor(
    readonly peer: string,
    reason: string,
    readonly install: string,
  ) {
    super(`${peer}: absent (${reason}). To install it: ${install}`)
  }
}

/** A process that obeys orders, one at a time. */
export class Driver {
  version = ''
  private readonly answers: AsyncIterator<string>
  private lastWords = ''

  private constructor(
    readonly peer: string,
    private readonly child: ChildProcessByStdio<Writable, Readable, Readable>,
  ) {
    this.answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-2000)
    })
    child.stdin.on('error', () => {}) // a driver that is gone is noticed where its answer is missing
  }

  /** Starts a driver whose libraries use as many threads. Throws what kept it from saying its version. */
  static async start(peer: string, [command, ...args]: readonly string[], threads: number): Promise<Driver> {
    const count = String(threads)
    const env = { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, BLIS_NUM_THREADS: count }
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    const driver = new Driver(peer, child)
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject))
    try {
      driver.version = (await Promise.race([driver.read(), failed])).version ?? ''
    } catch (error) {
      child.kill()
      throw error
    }
    return driver
  }

  private async read(): Promise<Answer> {
    const { value, done } = await this.answers.next()
    if (done) throw new Error(this.lastWords.trim().split('\n').at(-1) || `its driver ended without a word`)
    return JSON.parse(value) as Answer
  }

  async ask(order: string): Promise<Answer> {
    this.child.stdin.write(`${order}\n`)
    const answer = await this.read()
    if (answer.error !== undefined) throw new Error(`${this.peer}: ${order.slice(0, 100)}: ${answer.error}`)
    return answer
  }

  close(): void {
    this.child.stdin.end()
    this.child.kill()
  }
}
