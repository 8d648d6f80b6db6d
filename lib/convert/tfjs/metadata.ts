import type { Normalize } from '../../data/dataset'
import type { Architecture } from '../../model/architecture'
import { isObject, type Json } from './config'

/** Under this name in `userDefinedMetadata`: what TensorFlow.js has no place for. */
const KEY = 'convlane'

/** What a model has beyond its layers, as `model.json` keeps it; `names`: those that the inputs have there. */
export function metadataFor({ inputs }: Architecture, names: readonly string[], classNames: readonly string[] | undefined): Json {
  const scaled = inputs.flatMap(({ normalize }, index) => (normalize ? [[names[index]!, normalize] as const] : []))
  return {
    [KEY]: {
      ...(scaled.length > 0 && { normalize: Object.fromEntries(scaled) }),
      ...(classNames && { classNames }),
    },
  }
}

/** What {@link metadataFor} wrote, unchecked; nothing where the file is not ours. */
export function metadataOf(metadata: unknown): {
  normalize: ReadonlyMap<string, Normalize>
  classNames: readonly string[] | undefined
} {
  const own = isObject(metadata) && isObject(metadata[KEY]) ? metadata[KEY] : {}
  const { normalize, classNames } = own
  return {
    normalize: new Map(Object.entries(isObject(normalize) ? normalize : {})) as ReadonlyMap<string, Normalize>,
    classNames: Array.isArray(classNames) ? classNames : undefined,
  }
}
