import type { Binding, Program as NativeProgram, State as NativeState } from '../../binding'
import { ConvlaneError, type ErrorCode } from '../errors'
import { loadNative } from '../native'
import type { Program, Runtime, State } from './runtime'

/** Calls into the addon: what it throws comes out as a ConvlaneError with the same code and message. */
export function fromNative<T>(call: (binding: Binding) => T): T {
  const binding = loadNative()
  try {
    return call(binding)
  } catch (error) {
    throw converted(error)
  }
}

function converted(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ConvlaneError || !('code' in error) || typeof error.code !== 'string') return error
  return new ConvlaneError(error.code as ErrorCode, error.message, { cause: error })
}

/** The same for what is refused at once and for what fails later: both reject. */
async function later<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw converted(error)
  }
}

// Programs are given the state that callers see, and need the addon's own.
const natives = new WeakMap<State, NativeState>()

function wrapState(native: NativeState): State {
  const state: State = {
    elements: native.elements,
    read: (offset, length) => later(() => native.read(offset, length)),
    write: (offset, values) => later(() => native.write(offset, values)),
    share: () => fromNative(() => native.share()),
    dispose: () => native.dispose(),
  }
  natives.set(state, native)
  return state
}

function nativeState(state: State | undefined): NativeState | undefined {
  const native = state && natives.get(state)
  if (state && !native) throw new ConvlaneError('INVALID_ARGUMENT', 'the state belongs to another runtime')
  return native
}

function wrapProgram(native: NativeProgram): Program {
  return {
    arenaBytes: native.arenaBytes,
    get stagingBytes() {
      return native.stagingBytes
    },
    preparedBytes: native.preparedBytes,
    run: (options) => later(() => native.run(options)),
    profile: (on) => fromNative(() => native.profile(on)),
    dispose: () => native.dispose(),
  }
}

const runtime: Runtime = {
  name: 'native',
  createState: (elements) => fromNative((binding) => wrapState(binding.createState(elements))),
  adoptState: (id) => fromNative((binding) => wrapState(binding.adoptState(id))),
  createProgram: (spec, state) => fromNative((binding) => wrapProgram(binding.createProgram(spec, nativeState(state)))),
}

/** Runs programs on the native addon, which is loaded now. Throws what `loadNative` throws. */
export function nativeRuntime(): Runtime {
  loadNative()
  return runtime
}
