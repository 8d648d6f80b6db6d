/** Asks a local server every few milliseconds for a while and prints how long answers took, as JSON: in a process of its own, so that it measures nothing but the server. */
import { Agent, get } from 'node:http'
import { performance } from 'node:perf_hooks'

export interface Answers {
  readonly answered: number
  readonly failed: number
  readonly p50_ms: number
  readonly p99_ms: number
}

const PAUSE_MS = 5
const agent = new Agent({ keepAlive: true })

function ask(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ port, agent, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve)).on('error', reject)
  })
}

async function main(port: number, seconds: number): Promise<void> {
  const times: number[] = []
  let failed = 0
  const end = performance.now() + 1000 * seconds
  while (performance.now() < end) {
    const start = performance.now()
    try {
      await ask(port)
      times.push(performance.now() - start)
    } catch {
      failed++
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  agent.destroy()
  times.sort((a, b) => a - b)
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN
  const answers: Answers = { answered: times.length, failed, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }
  process.stdout.write(JSON.stringify(answers))
}

main(Number(process.argv[2]), Number(process.argv[3]))
