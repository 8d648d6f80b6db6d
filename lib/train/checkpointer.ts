import { removeLeftovers } from '../io/atomic-file'
import type { Checkpoint, FitProgress } from './checkpoint'

/** Writes checkpoints while training goes on: one at a time, each from a copy of the state as it was. */
export class Checkpointer {
  #writing: Promise<void> = Promise.resolve()

  /** @param gather copies what belongs into it; @param write puts it into the file */
  constructor(
    readonly file: string,
    readonly every: number | undefined,
    private readonly gather: (progress: FitProgress) => Promise<Checkpoint>,
    private readonly write: (checkpoint: Checkpoint) => Promise<void>,
  ) {}

  /** Removes what a run that was killed while it wrote has left beside the file. */
  begin(): Promise<void> {
    return removeLeftovers(this.file)
  }

  /** Resolves when the state has been copied. Throws FILE_ERROR of the one before. */
  async take(progress: FitProgress): Promise<void> {
    const checkpoint = await this.gather(progress)
    await this.#writing
    this.#writing = this.write(checkpoint)
    this.#writing.catch(() => {})
  }

  /** Resolves when the last one is in its file. Throws FILE_ERROR. */
  end(): Promise<void> {
    return this.#writing
  }
}
