import { align } from '../shape'

/** A piece of arena and the steps during which it is in use, both included. */
export interface Block {
  readonly elements: number
  first: number
  last: number
}

/** Above so many blocks, each is no longer compared with all others. */
const MANY = 4096

/**
 * Places blocks so that those in use at the same time don't overlap: the largest first, each into the smallest gap that takes it, at multiples of
 * 16 elements. Very many are placed in the order of their time instead. Returns their offsets, and the length of it all.
 */
export function placeBlocks(blocks: readonly Block[]): { offsets: Map<Block, number>; elements: number } {
  if (blocks.length > MANY) return placeInTurn(blocks)
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

/** Each block into the smallest gap that takes it of those that ended before it left, else behind all. */
function placeInTurn(blocks: readonly Block[]): { offsets: Map<Block, number>; elements: number } {
  const offsets = new Map<Block, number>()
  const ending = [...blocks].sort((a, b) => a.last - b.last)
  /** In their order, none next to another. */
  const gaps: { start: number; end: number }[] = []
  const leave = (block: Block) => {
    const start = offsets.get(block)!
    const end = start + align(block.elements)
    const next = gaps.findIndex((gap) => gap.start > start)
    const at = next < 0 ? gaps.length : next
    const [before, after] = [gaps[at - 1], gaps[at]]
    const first = before?.end === start ? before.start : start
    const last = after?.start === end ? after.end : end
    gaps.splice(first < start ? at - 1 : at, Number(first < start) + Number(last > end), { start: first, end: last })
  }
  let elements = 0
  let ended = 0
  for (const block of [...blocks].sort((a, b) => a.first - b.first || b.elements - a.elements)) {
    for (; ending[ended]!.last < block.first; ended++) leave(ending[ended]!)
    const room = align(block.elements)
    let best = -1
    gaps.forEach(({ start, end }, index) => {
      if (end - start >= room && (best < 0 || end - start < gaps[best]!.end - gaps[best]!.start)) best = index
    })
    const gap = gaps[best] ?? (gaps.at(-1)?.end === elements ? gaps.pop() : undefined)
    const start = gap?.start ?? elements
    offsets.set(block, start)
    elements = Math.max(elements, start + room)
    if (best < 0) continue
    gap!.start += room
    if (gap!.start === gap!.end) gaps.splice(best, 1)
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
