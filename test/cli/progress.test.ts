import { describe, expect, test } from 'vitest'
import { durationText, type Output, Progress, percent } from '../../lib/cli/progress'
import type { EpochEvent, StepEvent } from '../../lib/train/events'

/** A progress display with a clock of the test's own, and what it has written. */
function display(options: Partial<Output> = {}, epochs = 2) {
  const clock = { ms: 0 }
  const written: string[] = []
  const progress = new Progress({ ...options, write: (text) => written.push(text) }, epochs, () => clock.ms)
  const step = (epoch: number, number: number, ms: number, change: Partial<StepEvent> = {}) => {
    clock.ms = ms
    progress.onStep({
      epoch,
      step: number,
      steps: 10,
      loss: 0.5,
      metrics: { accuracy: 0.75 },
      gradientNorm: 1,
      learningRate: 0.1,
      imagesPerSecond: 1234.4,
      ...change,
    })
  }
  return { progress, written, step }
}

const epoch: EpochEvent = { epoch: 1, loss: 0.25, metrics: { accuracy: 0.9 }, learningRate: 0.1, seconds: 61, imagesPerSecond: 2000 }

describe('on a terminal', () => {
  test('draws a bar with loss, accuracy, images/s and time left over itself', () => {
    const { progress, written, step } = display({ isTTY: true, columns: 100 })
    step(1, 5, 1000)
    expect(written).toEqual([
      `\repoch 1/2  ${'━'.repeat(15)}${'─'.repeat(15)}  loss 0.5000  accuracy 75.00 %  1,234 images/s  0:03 left\x1b[K`,
    ])
    progress.onEpoch(epoch)
    expect(written.slice(1)).toEqual(['\r\x1b[K', 'epoch 1/2  loss 0.2500  accuracy 90.00 %  2,000 images/s  1:01\n'])
  })

  test('draws at most ten times a second, and at once in a new epoch', () => {
    const { progress, written, step } = display({ isTTY: true })
    for (let ms = 0; ms < 1000; ms += 10) step(1, 1, ms)
    expect(written.length).toBe(10)
    progress.onEpoch(epoch)
    step(2, 1, 991)
    expect(written.length).toBe(13)
  })

  test.each([20, 50, 60, 80, 200])('fits into %d columns', (columns) => {
    const { written, step } = display({ isTTY: true, columns })
    step(1, 5, 1000)
    expect(written[0]!.replace('\r', '').replace('\x1b[K', '').length).toBeLessThan(columns)
  })

  test('takes the bar away once', () => {
    const { progress, written, step } = display({ isTTY: true })
    step(1, 5, 1000)
    progress.clear()
    progress.clear()
    expect(written.slice(1)).toEqual(['\r\x1b[K'])
  })
})

describe('elsewhere', () => {
  test('writes a line per epoch, and one every ten seconds between', () => {
    const { progress, written, step } = display()
    for (let second = 0; second < 25; second++) step(1, 1 + (second % 10), 1000 * second)
    progress.onEpoch(epoch)
    step(2, 1, 26_000)
    expect(written.map((text) => text.replace(/ {2}.*\n/, ''))).toEqual(['epoch 1/2', 'epoch 1/2', 'epoch 1/2'])
    expect(written[0]).toBe('epoch 1/2  10.00 %  loss 0.5000  accuracy 75.00 %  1,234 images/s  3:10 left\n')
    expect(written.join('')).not.toContain('\r')
    expect(written.join('')).not.toContain('\x1b')
  })
})

test('percentages are rounded down: only all is 100', () => {
  expect([0, 0.5, 0.98, 0.99999, 1].map(percent)).toEqual(['0.00 %', '50.00 %', '98.00 %', '99.99 %', '100.00 %'])
})

test('durations', () => {
  expect([0, 59.6, 65, 3599, 3600, 36_061].map(durationText)).toEqual(['0:00', '1:00', '1:05', '59:59', '1:00:00', '10:01:01'])
})
