/** Stable codes of {@link ConvlaneError}. */
export type ErrorCode =
  | 'INVALID_ARGUMENT' // an option or argument has the wrong type, value or combination
  | 'INVALID_SHAPE' // ranks or sizes do not fit
  | 'INVALID_DTYPE' // the element type is not what the operation takes
  | 'INVALID_TENSOR' // data missing, detached, shared, resizable, or its length differs from the shape
  | 'INVALID_LABEL' // a label is out of range
  | 'INVALID_STEP' // the native core refused a step (an internal error unless you build steps yourself)
  | 'WRONG_GRADIENT' // checkGradients: a gradient differs from central differences
  | 'INVALID_FILE' // a file is truncated, damaged or of another format
  | 'FILE_ERROR' // a file cannot be read or written; `cause` has the system's error
  | 'NOT_COMPILED' // fit, evaluate or trainOnBatch before compile
  | 'BUSY' // the model is being trained
  | 'OVERLOADED' // a predictor has as many samples waiting as it may
  | 'DISPOSED' // used after dispose
  | 'ABORTED' // stopped by an AbortSignal
  | 'NOT_FINITE' // a loss became NaN or infinite, or what should be made probabilities is
  | 'OFFLINE' // a download failed
  | 'PORT_ERROR' // a port cannot be listened at; `cause` has the system's error
  | 'NATIVE_LOAD' // the native addon could not be loaded
  | 'NATIVE_BUILD' // the native addon could not be compiled
  | 'OUT_OF_MEMORY'
  | 'UNSUPPORTED'

/** Every error that convlane throws on purpose. The message says what, expected, received. */
export class ConvlaneError extends Error {
  /** `'ConvlaneError'`, also where `instanceof` fails (two copies of the library, other realms). */
  override readonly name = 'ConvlaneError'
  /** What kind of error: stable, to branch on. */
  readonly code: ErrorCode
  /** What was expected, where it is one value. */
  readonly expected?: unknown
  /** What came instead. */
  readonly received?: unknown

  /** The message names what, expected and received; the details hold the last two as values, and the cause. */
  constructor(
    code: ErrorCode,
    message: string,
    details: { readonly expected?: unknown; readonly received?: unknown; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if ('expected' in details) this.expected = details.expected
    if ('received' in details) this.received = details.received
  }
}
