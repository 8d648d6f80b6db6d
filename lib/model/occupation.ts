import { ConvlaneError } from '../errors'

/** What keeps `compile` and the like from coming between others: the methods under way on a model, by name. */
export class Occupation {
  readonly #underWay: string[] = []

  /** Throws BUSY while a method is under way that this one may not join; `allowed`: those that it may. */
  check(method: string, ...allowed: readonly string[]): void {
    const other = this.#underWay.find((name) => !allowed.includes(name))
    if (other === undefined) return
    throw new ConvlaneError('BUSY', `${method}: ${other} is under way on this model: await it first`, { received: other })
  }

  /** The method is under way until the work is done. */
  async during<T>(method: string, work: () => Promise<T>): Promise<T> {
    this.#underWay.push(method)
    try {
      return await work()
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(method), 1)
    }
  }
}
