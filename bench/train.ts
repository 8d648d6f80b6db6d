import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isa } from 'convlane'
import { nets, noise } from './nets'
import type { Row } from './row'
import type { TrainItem } from './suite'
import type { TrainingTimes } from './train-process'

/** A whole training step of a network, timed in a process of its own, so that memory and start are those of a program that only trains. */
export async function measureTraining(item: TrainItem, threads: number, seconds: number): Promise<Row | { absent: string }> {
  if (!(item.id in nets)) return { absent: 'no network of this name' }
  await checkStep(item)
  const args = [join(__dirname, 'train-process.js'), JSON.stringify({ ...item, threads, seconds })]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const times = JSON.parse(stdout) as TrainingTimes
  return {
    kind: 'train',
    peer: 'convlane',
    threads,
    item: item.id,
    fmt: 'nhwc',
    pass: 'step',
    algo: 'auto',
    ...times,
    chosen: true,
    isa: isa(),
    batch: item.batch,
    images_per_s: (1000 * item.batch) / times.median_ms,
  }
}

/** Two steps on a few images, against the reference runtime. */
async function checkStep({ id, input }: TrainItem): Promise<void> {
  const { x, y } = noise(4, input)
  const losses = async (runtime: 'native' | 'reference') => {
    const model = nets[id]!(input, runtime)
    const steps = [await model.trainOnBatch(x, y), await model.trainOnBatch(x, y)]
    model[Symbol.dispose]()
    return steps.map(({ loss }) => loss)
  }
  const received = await losses('native')
  const expected = await losses('reference')
  if (!expected.every((loss, i) => Math.abs(loss - received[i]!) <= 1e-4)) {
    throw new Error(`${id}: losses of the first steps: expected ${expected.join(', ')}, received ${received.join(', ')}`)
  }
}
