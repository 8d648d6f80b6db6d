import { describe, expect, test } from 'vitest'
import { choice, nearestOf, parseCommand, UsageError, wholeNumber } from '../../lib/cli/arguments'

const command = {
  name: 'do',
  about: 'Does.',
  arguments: 'WHAT',
  options: { size: { value: 'N', about: 'how large' }, part: { value: 'P', about: 'which', multiple: true }, quiet: { about: 'no words' } },
}

describe('parseCommand', () => {
  test('gives texts, switches and lists by name, and the rest in order', () => {
    expect(parseCommand(command, ['a', '--size=3', '--part', 'x', '--quiet', '--part', 'y', 'b'])).toEqual({
      values: { size: '3', part: ['x', 'y'], quiet: true },
      positionals: ['a', 'b'],
    })
  })

  test('gives nothing when help is asked for, whatever else is said', () => {
    expect(parseCommand(command, ['--nonsense', '--help'])).toBeUndefined()
    expect(parseCommand(command, ['-h'])).toBeUndefined()
  })

  test.each([
    [['--sise', '3'], 'unknown option --sise, did you mean --size? (see convlane do --help)'],
    [['--si=3'], 'unknown option --si, did you mean --size?'],
    [['--colour'], 'unknown option --colour (see'],
    [['--__proto__=1'], 'unknown option --__proto__ (see'],
    [['--constructor'], 'unknown option --constructor (see'],
    [['-s', '3'], 'unknown option -s'],
    [['--size'], '--size needs a value: --size N'],
    [['--size', '--quiet'], '--size needs a value'],
    [['--quiet=yes'], '--quiet takes no value'],
    [['--size', '1', '--size', '2'], '--size is given twice'],
    [['--no-quiet'], 'unknown option --no-quiet'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseCommand(command, argv)).toThrow(message)
    expect(() => parseCommand(command, argv)).toThrow(UsageError)
  })

  test('refuses arguments where a command takes none', () => {
    expect(() => parseCommand({ name: 'do', about: '', options: {} }, ['x'])).toThrow('unexpected argument "x"')
  })
})

test.each(['', '0', '-1', '1.5', '1e3', 'x', '0x10', ' 3', '101', '99999999999999999999'])(
  '%j is no whole number from 1 to 100',
  (text) => {
    expect(() => wholeNumber(command, 'size', text, 1, 100)).toThrow(`--size must be a whole number from 1 to 100, received "${text}"`)
  },
)

test('whole numbers and choices pass, absent ones stay absent', () => {
  expect(wholeNumber(command, 'size', '0100', 1, 100)).toBe(100)
  expect(wholeNumber(command, 'size', undefined, 1)).toBeUndefined()
  expect(choice(command, 'part', 'a', ['a', 'b'])).toBe('a')
  expect(choice(command, 'part', undefined, ['a', 'b'])).toBeUndefined()
  expect(() => choice(command, 'part', 'c', ['a', 'b'])).toThrow('--part must be a or b, received "c"')
})

test('the nearest word is at most two letters off, or the beginning', () => {
  const words = ['train', 'evaluate', 'predict', 'info']
  expect(['trian', 'trai', 'eval', 'predikt', 'inof', 'x', 'help'].map((word) => nearestOf(word, words))).toEqual([
    'train',
    'train',
    'evaluate',
    'predict',
    'info',
    undefined,
    undefined,
  ])
})
