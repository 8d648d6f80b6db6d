import { expect, test } from 'vitest'
import { Lock } from '../../lib/runtime/lock'

const turn = () => new Promise<void>((resume) => setImmediate(resume))

test('readers share, writers are alone, in order of arrival', async () => {
  const lock = new Lock()
  const log: string[] = []
  const enter = async (name: string, write: boolean) => {
    await lock.acquire(write)
    log.push(name)
  }
  await enter('read 1', false)
  await enter('read 2', false)
  void enter('write', true)
  void enter('read 3', false)
  await turn()
  expect(log).toEqual(['read 1', 'read 2'])
  lock.release(false)
  await turn()
  expect(log).toEqual(['read 1', 'read 2'])
  lock.release(false)
  await turn()
  expect(log).toEqual(['read 1', 'read 2', 'write'])
  lock.release(true)
  await turn()
  expect(log).toEqual(['read 1', 'read 2', 'write', 'read 3'])
})

test('what fails inside releases it', async () => {
  const lock = new Lock()
  const failing = () => {
    throw new Error('inside')
  }
  await expect(lock.hold(true, failing)).rejects.toThrow('inside')
  expect(await lock.hold(true, () => 'free')).toBe('free')
})
