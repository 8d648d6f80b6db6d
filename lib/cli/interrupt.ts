/** Ctrl-C comes twice within moments where a wrapper such as npm passes it on too. */
const ECHO_MS = 1000

export interface Interrupt {
  /** Aborted by the first Ctrl-C (or termination signal). */
  readonly signal: AbortSignal
  /** 0; 130 after Ctrl-C, 143 after a termination signal. */
  readonly exitCode: number
  /** Gives the signals back to the system. */
  release(): void
}

/** The first Ctrl-C asks the work to stop; another one, later than an echo of the first, ends the process at once. */
export function catchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController()
  let exitCode = 0
  let first = 0
  const handle = (code: number) => () => {
    if (exitCode !== 0) {
      if (performance.now() - first > ECHO_MS) process.exit(code)
      return
    }
    first = performance.now()
    exitCode = code
    onFirst()
    controller.abort()
  }
  const [interrupt, terminate] = [handle(130), handle(143)]
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', terminate)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    release() {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', terminate)
    },
  }
}
