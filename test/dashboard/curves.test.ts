import { expect, test } from 'vitest'
import { StepCurves } from '../../lib/dashboard/curves'
import { eventText, RunLog } from '../../lib/dashboard/run'
import { told } from './events'

test('steps are kept as they are, then as means of 2, 4, … of them; there are never more than 1,000 points', () => {
  const curves = new StepCurves()
  let [changed, most] = [0, 0]
  for (let step = 1; step <= 4000; step++) {
    if (curves.add(step, { loss: step, rate: -step })) changed++
    most = Math.max(most, curves.at.length)
    if (step === 999) expect(curves.columns.loss).toEqual(Array.from({ length: 999 }, (_, index) => index + 1))
  }
  expect([curves.stride, changed]).toEqual([8, 3])
  expect(most).toBe(999)
  const { at, columns, stride } = curves
  expect(at).toEqual(Array.from({ length: 500 }, (_, index) => (index + 1) * stride))
  expect(columns.loss).toEqual(at.map((last) => last - (stride - 1) / 2))
  expect(columns.rate).toEqual(columns.loss!.map((value) => -value))
})

/** The data of the events in a text. */
const eventsIn = (text: string) =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((part) => {
      const [, name, data] = /^event: ([^\n]*)\ndata: ([^\n]*)$/.exec(part)!
      return { name: name!, data: JSON.parse(data!) }
    })

test('whoever comes at whatever time knows the same in the end, and a message never grows beyond its bounds', () => {
  const log = new RunLog({ title: 'run', epochs: 1500 })
  const pages: ReturnType<typeof eventsIn>[] = []
  let longest = 0
  for (let epoch = 1; epoch <= 1500; epoch++) {
    const rest = { epoch, steps: 3, learningRate: 0.1, imagesPerSecond: 1000, metrics: { accuracy: 0.123456789012345 } }
    for (let step = 1; step <= 3; step++) {
      log.step({ ...rest, step, loss: Math.sin(epoch) + step, gradientNorm: Number.NaN })
      if (epoch % 450 === 0) pages.push(eventsIn(log.state))
    }
    log.epoch({ ...rest, loss: 1 / epoch, seconds: 1, validation: { loss: 2, accuracy: 0.5 } as never })
    if (epoch % 25 !== 0) continue
    const update = log.update()!
    longest = Math.max(longest, update.length)
    for (const page of pages) page.push(...eventsIn(update))
  }
  const last = log.update()
  for (const page of pages) if (last) page.push(...eventsIn(last))
  expect(pages.length).toBeGreaterThan(8)
  const known = told(eventsIn(log.state))
  for (const page of pages) expect(told(page)).toEqual(known)
  expect(known.at.length).toBeLessThan(1000)
  expect(known.epochs.length).toBeLessThanOrEqual(1000)
  expect(known.epochs.at(-1)).toMatchObject({ epoch: 1500, train: { loss: 1 / 1500 }, validation: { accuracy: 0.5 } })
  expect(known.columns.gradientNorm[0]).toBe(null)
  expect(longest).toBeLessThan(400_000)
  expect(log.update()).toBe(undefined)
})

test('text of any kind stays within its event', () => {
  const [event, ...more] = eventsIn(eventText('end', { message: 'a\n\nevent: b\ndata: {}\n\n\u2028' }))
  expect([event, more]).toEqual([{ name: 'end', data: { message: 'a\n\nevent: b\ndata: {}\n\n\u2028' } }, []])
})
