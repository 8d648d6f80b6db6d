import { align } from '../shape'

/** A piece of arena and the steps during which it is in use, both included. */
export interface Block {
  readonly elements: number
  first: number
  last: number
}

/**
 * Places blocks so that those in use at the same time don't overlap: the largest first, each into the smallest gap that takes it, at multiples of
 * 16 elements. Returns their offsets, and the length of it all.
 */
export function placeBlocks(blocks: readonly Block[]): { offsets: Map<Block, number>; elements: number } {
  const offsets = new Map<Block, number>()
  const placed: Block[] = []
  let elements = 0
  for (const block of [...blocks].sort((a, b) => b.elements - a.elements || a.first - b.first)) {
    const room = align(block.elements)
    let [best, bestGap, end] = [-1, Number.POSITIVE_INFINITY, 0]
    for (const other of placed) {
      if (other.last < block.first || other.first > block.last) continue
      const gap = offsets.get(other)! - end
      if (gap >= room && gap < bestGap) [best, bestGap] = [end, gap]
      end = Math.max(end, offsets.get(other)! + align(other.elements))
    }
    const offset = best < 0 ? end : best
    offsets.set(block, offset)
    elements = Math.max(elements, offset + room)
    const at = placed.findIndex((other) => offsets.get(other)! > offset)
    placed.splice(at < 0 ? placed.length : at, 0, block)
  }
  return { offsets, elements }
}

/** As `placeBlocks`, with nothing shared. */
export function placeApart(blocks: readonly Block[]): { offsets: Map<Block, number>; elements: number } {
  const offsets = new Map<Block, number>()
  let elements = 0
  for (const block of blocks) {
    offsets.set(block, elements)
    elements += align(block.elements)
  }
  return { offsets, elements }
}
