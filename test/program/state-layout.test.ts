import { expect, test } from 'vitest'
import { stateEntry, stateLayout } from '../../lib/program/state-layout'

test('parameters at multiples of 16, then slots laid out alike', () => {
  const layout = stateLayout(
    [
      { name: 'kernel', shape: [3, 3, 1, 2] },
      { name: 'bias', shape: [2] },
      { name: 'table', shape: [4, 4] },
    ],
    ['m', 'v'],
  )
  expect(layout.parameters.map(({ offset, elements }) => [offset, elements])).toEqual([
    [0, 18],
    [32, 2],
    [48, 16],
  ])
  expect(layout).toMatchObject({ parameterElements: 64, slots: { m: 64, v: 128 }, elements: 192 })
  expect(stateEntry(layout, 'bias').offset).toBe(32)
})

test('a layout with slots begins as the one without', () => {
  const parameters = [
    { name: 'a', shape: [5] },
    { name: 'b', shape: [20, 2] },
  ]
  expect(stateLayout(parameters, ['velocity']).parameters).toEqual(stateLayout(parameters).parameters)
})

test('no parameters', () => {
  expect(stateLayout([])).toEqual({ parameters: [], parameterElements: 0, trainedElements: 0, slots: {}, elements: 16 })
})

test('what is refused', () => {
  const parameters = [{ name: 'a', shape: [5] }]
  expect(() => stateLayout([...parameters, ...parameters])).toThrow('two parameters are named "a"')
  expect(() => stateLayout([{ name: 'a', shape: [0] }])).toThrow(/parameter "a": sizes must be positive integers/)
  expect(() => stateEntry(stateLayout(parameters), 'b')).toThrow('the state has no parameter "b"')
})

test('what is not trained lies behind the rest and has no slots', () => {
  const parameters = [
    { name: 'a', shape: [20] },
    { name: 'average', shape: [5], trained: false },
    { name: 'b', shape: [3] },
  ]
  const layout = stateLayout(parameters, ['m', 'v'])
  expect(layout.parameters.map(({ name, offset }) => [name, offset])).toEqual([
    ['a', 0],
    ['average', 48],
    ['b', 32],
  ])
  expect(layout).toMatchObject({ parameterElements: 64, slots: { m: 64, v: 112 }, elements: 160 })
})
