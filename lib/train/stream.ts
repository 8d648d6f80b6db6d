import type { Callback, EpochEvent, History, StepEvent } from './events'

/** What {@link Model.fitEvents} gives: each step, each epoch, and at the end the history. */
export type FitEvent =
  | ({ readonly type: 'step' } & StepEvent)
  | ({ readonly type: 'epoch' } & EpochEvent)
  | { readonly type: 'end'; readonly history: History }

/**
 * The events of a fit as they are asked for: training goes no further than one event ahead of its reader. A reader that leaves ends the fit after the step
 * under way.
 * @param start starts the fit with one more callback; the signal is the reader's leaving
 */
export async function* eventsOf(start: (callback: Callback, leaving: AbortSignal) => Promise<History>): AsyncGenerator<FitEvent, void> {
  const leaving = new AbortController()
  const waiting: { readonly event: FitEvent; readonly taken: () => void }[] = []
  let wake = () => {}
  const give = (event: FitEvent) =>
    new Promise<void>((taken) => {
      if (leaving.signal.aborted) return taken()
      waiting.push({ event, taken })
      wake()
    })
  let ended = false
  const callback: Callback = {
    onStep: (event) => give({ type: 'step', ...event }),
    onEpoch: (event) => give({ type: 'epoch', ...event }),
  }
  const fit = start(callback, leaving.signal)
  const end = () => {
    ended = true
    wake()
  }
  fit.then(end, end)
  let taken = () => {}
  try {
    while (!ended || waiting.length > 0) {
      const next = waiting.shift()
      if (next) {
        taken = next.taken
        yield next.event
        taken()
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    yield { type: 'end', history: await fit }
  } finally {
    leaving.abort()
    taken()
    for (const left of waiting) left.taken()
    await fit.catch(() => {})
  }
}
