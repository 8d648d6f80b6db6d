import { ConvlaneError } from '../../../errors'

/** Makes the errors of one place in a file: what begins with it. */
export class Failure {
  constructor(readonly where: string) {}

  /** For a file that breaks the format, or the rules of its operators. */
  damaged(what: string): ConvlaneError {
    return new ConvlaneError('INVALID_FILE', `${this.where}: ${what}`)
  }

  /** For what may be right and has no counterpart here. */
  unsupported(what: string, received?: unknown): ConvlaneError {
    return new ConvlaneError('UNSUPPORTED', `${this.where}: ${what}`, received === undefined ? {} : { received })
  }

  /** What a layer said of sizes that do not fit is the file's fault; what it does not take is ours. */
  of(error: ConvlaneError): ConvlaneError {
    const code = error.code === 'INVALID_SHAPE' || error.code === 'INVALID_TENSOR' ? 'INVALID_FILE' : 'UNSUPPORTED'
    return new ConvlaneError(code, `${this.where}: ${error.message}`, { cause: error })
  }
}
