import type { KernelInfo } from '../../binding'
import { augmentCases } from './augmentCases'
import { batchNormCases } from './batchNormCases'
import { broadcastCases } from './broadcastCases'
import { convolutionCases } from './convolutionCases'
import { convolutionNdCases } from './convolutionNdCases'
import { elementwiseCases } from './elementwiseCases'
import { movingCases } from './movingCases'
import { normCases } from './normCases'
import type { OpCase } from './opCase'
import { poolingCases } from './poolingCases'
import { productCases } from './productCases'
import { rowCases } from './rowCases'

/** The one list of cases: for every op, the sizes around the edges of tiles, vectors and blocks, and every attribute. */
export function allCases(info: KernelInfo): OpCase[] {
  return [
    ...convolutionCases(info),
    ...convolutionNdCases(info),
    ...poolingCases(info),
    ...productCases(info),
    ...elementwiseCases(info),
    ...broadcastCases(info),
    ...movingCases(info),
    ...rowCases(info),
    ...batchNormCases(info),
    ...normCases(info),
    ...augmentCases(),
  ]
}
