import { checkBoolean, checkOptions, invalid } from '../check'
import { checkChoice, checkInteger, checkNumber } from '../shape'

/** A number a: −a … a (of a factor: 1 − a … 1 + a); or from one number to the other. Drawn evenly for each image. */
export type Range = number | readonly [low: number, high: number]
/** What shows where an image has no pixel: `value`; the outermost pixels; or the mirror image without them. */
export type Border = 'constant' | 'edge' | 'reflect'
/** In the numbers of the data, as of bytes 0 … 255: one for all channels, or one for each. */
export type Fill = number | readonly number[]

/** Chance that an image is changed, 0 to 1. */
interface Chance {
  readonly probability: number
}

/** What {@link shift} and {@link crop} make. */
export type ShiftTransformation = Chance & {
  readonly kind: 'shift'
  readonly most: readonly [y: number, x: number]
  readonly mode: Border
  readonly value: readonly number[]
}
/** What {@link flip} makes. */
export type FlipTransformation = Chance & { readonly kind: 'flip'; readonly horizontal: boolean; readonly vertical: boolean }
/** What {@link affine}, {@link rotate} and their kin make. */
export type AffineTransformation = Chance & {
  readonly kind: 'affine'
  readonly degrees: readonly [number, number]
  readonly scale: readonly [number, number]
  readonly stretch: readonly [number, number]
  readonly shear: readonly [number, number]
  readonly shift: readonly [y: number, x: number]
  readonly mode: Border
  readonly value: readonly number[]
}
/** What {@link brightness}, {@link contrast} and {@link saturation} make. */
export type ColourTransformation = Chance & {
  readonly kind: 'brightness' | 'contrast' | 'saturation'
  readonly factor: readonly [number, number]
  /** Absent: 0 … 255 for bytes, no limits for floats. */
  readonly range?: readonly [number, number]
}
/** What {@link cutout} makes. */
export type CutoutTransformation = Chance & {
  readonly kind: 'cutout'
  readonly size: readonly [number, number]
  readonly value: readonly number[]
}
/** What {@link mixup} makes. */
export type MixupTransformation = Chance & { readonly kind: 'mixup'; readonly alpha: number }

/** A transformation of one image. */
export type ImageTransformation =
  | ShiftTransformation
  | FlipTransformation
  | AffineTransformation
  | ColourTransformation
  | CutoutTransformation
/** What {@link randomOrder} makes. */
export interface RandomOrderTransformation {
  /** What it is. */
  readonly kind: 'randomOrder'
  /** In another order for each image. */
  readonly of: readonly ImageTransformation[]
}

/** One entry of fit's option `augment`: plain data, as the functions `shift`, `flip`, `rotate`, … make it. May be kept as JSON. */
export type Transformation = ImageTransformation | RandomOrderTransformation | MixupTransformation

/** An option that most transformations have. */
export interface ChanceOptions {
  /** Chance that an image is changed, 0 to 1. Default 1. */
  readonly probability?: number
}
/** Options of {@link shift} and of all that moves pixels. */
export interface BorderOptions extends ChanceOptions {
  /** Default `'constant'`. */
  readonly mode?: Border
  /** Of `'constant'`. Default 0. */
  readonly value?: Fill
}

const MOST = 2 ** 24

function checkRange(value: unknown, label: string, argument: string, [low, high]: readonly [number, number], about = 0): [number, number] {
  const single = typeof value === 'number'
  const [from, to] = single ? [about - value, about + value] : Array.isArray(value) && value.length === 2 ? value : []
  const fits = Number.isFinite(from) && Number.isFinite(to) && from >= low && to <= high && from <= to
  if (fits) return [from, to]
  const numbers = single ? `from 0 to ${Math.min(high - about, about - low)}` : `[low, high] within ${low} to ${high}`
  throw invalid(label, argument, single ? numbers : `a number or ${numbers}`, value)
}

const probabilityOf = ({ probability }: ChanceOptions, label: string, fallback = 1): number =>
  checkNumber(probability ?? fallback, label, 'probability', { low: 0, high: 1 })

function checkFill(value: Fill | undefined, label: string): number[] {
  const values = value === undefined ? [0] : Array.isArray(value) ? value : [value]
  if (values.length > 0 && values.every((number) => Number.isFinite(number))) return [...values]
  throw invalid(label, 'value', 'a finite number, or one for each channel', value)
}

const borderOf = (options: BorderOptions, label: string) => ({
  mode: checkChoice(options.mode ?? 'constant', ['constant', 'edge', 'reflect'] as const, label, 'mode'),
  value: checkFill(options.value, label),
  probability: probabilityOf(options, label),
})

function checkPixels(value: unknown, label: string, argument: string, whole: boolean): [y: number, x: number] {
  const check = (number: unknown) =>
    whole ? checkInteger(number, label, argument, 0, MOST) : checkNumber(number, label, argument, { low: 0, high: MOST })
  if (!Array.isArray(value)) return [check(value), check(value)]
  if (value.length !== 2) throw invalid(label, argument, 'a number or [y, x]', value)
  return [check(value[0]), check(value[1])]
}

/**
 * Moves images by whole pixels, up or down and left or right by at most `most`, each number of them alike.
 * @param most pixels, for both axes or `[y, x]`
 * @throws INVALID_ARGUMENT
 */
export function shift(most: number | readonly [y: number, x: number], options: BorderOptions = {}): ShiftTransformation {
  checkOptions('shift', options, ['mode', 'value', 'probability'])
  return { kind: 'shift', most: checkPixels(most, 'shift', 'most', true), ...borderOf(options, 'shift') }
}

/** Options of {@link crop}. */
export interface CropOptions extends BorderOptions {
  /** Pixels on each side: for both axes or `[y, x]`. */
  readonly padding: number | readonly [y: number, x: number]
}

/**
 * Pads images on each side, and cuts a window of the images' size out of that, anywhere: torchvision's `RandomCrop(size, padding)`. It is {@link shift}
 * by up to the padding, under the name that is used with CIFAR-10.
 * @throws INVALID_ARGUMENT
 */
export function crop(options: CropOptions): ShiftTransformation {
  checkOptions('crop', options, ['padding', 'mode', 'value', 'probability'])
  return { kind: 'shift', most: checkPixels(options.padding, 'crop', 'padding', true), ...borderOf(options, 'crop') }
}

/** Options of {@link flip}. */
export interface FlipOptions {
  /** Left becomes right. Default: true, unless `vertical` is given. */
  readonly horizontal?: boolean
  /** Top becomes bottom. Default false. */
  readonly vertical?: boolean
  /** Chance of either direction, drawn for each by itself. Default 0.5. */
  readonly probability?: number
}

/**
 * Mirrors images.
 * @throws INVALID_ARGUMENT
 */
export function flip(options: FlipOptions = {}): FlipTransformation {
  checkOptions('flip', options, ['horizontal', 'vertical', 'probability'])
  const vertical = checkBoolean(options.vertical ?? false, 'flip', 'vertical')
  const horizontal = checkBoolean(options.horizontal ?? options.vertical === undefined, 'flip', 'horizontal')
  if (!horizontal && !vertical) throw invalid('flip', 'horizontal or vertical', 'true', false)
  return { kind: 'flip', horizontal, vertical, probability: probabilityOf(options, 'flip', 0.5) }
}

/** Options of {@link affine}. */
export interface AffineOptions extends BorderOptions {
  /** Turn about the centre, counter-clockwise, in degrees within ±360. Default 0. */
  readonly degrees?: Range
  /** Size, as a factor: 0.1 is 0.9 … 1.1. Default 1. */
  readonly scale?: Range
  /** Width against height, as a factor. Default 1. */
  readonly stretch?: Range
  /** Slant: rows are moved sideways by so much of their distance from the middle. Default 0. */
  readonly shear?: Range
  /** Largest shift in pixels, broken ones too, for both axes or `[y, x]`. Default 0. */
  readonly shift?: number | readonly [y: number, x: number]
}

const FACTORS = [0.01, 100] as const

function affineOf(options: AffineOptions, label: string): AffineTransformation {
  return {
    kind: 'affine',
    degrees: checkRange(options.degrees ?? 0, label, 'degrees', [-360, 360]),
    scale: checkRange(options.scale ?? 0, label, 'scale', FACTORS, 1),
    stretch: checkRange(options.stretch ?? 0, label, 'stretch', FACTORS, 1),
    shear: checkRange(options.shear ?? 0, label, 'shear', [-100, 100]),
    shift: checkPixels(options.shift ?? 0, label, 'shift', false),
    ...borderOf(options, label),
  }
}

/**
 * Stretches, resizes, slants, turns and shifts images about their centre, in this order, all at once: pixels are read once, between pixels bilinearly, so that
 * it blurs less than several transformations one after the other.
 * @throws INVALID_ARGUMENT
 */
export function affine(options: AffineOptions): AffineTransformation {
  checkOptions('affine', options, ['degrees', 'scale', 'stretch', 'shear', 'shift', 'mode', 'value', 'probability'])
  return affineOf(options, 'affine')
}

/** Options of {@link rotate}. */
export interface RotateOptions extends BorderOptions {
  /** Counter-clockwise, within ±360. */
  readonly degrees: Range
}

/**
 * Turns images about their centre: {@link affine} with a turn alone.
 * @throws INVALID_ARGUMENT
 */
export function rotate(options: RotateOptions): AffineTransformation {
  checkOptions('rotate', options, ['degrees', 'mode', 'value', 'probability'])
  if (options.degrees === undefined) throw invalid('rotate', 'degrees', 'a number or [low, high]', undefined)
  return affineOf(options, 'rotate')
}

/**
 * Makes what is in images larger or smaller, the images keep their size: {@link affine} with a scale alone.
 * @param factor 0.1 is 0.9 … 1.1
 * @throws INVALID_ARGUMENT
 */
export function scale(factor: Range, options: BorderOptions = {}): AffineTransformation {
  checkOptions('scale', options, ['mode', 'value', 'probability'])
  checkRange(factor, 'scale', 'factor', FACTORS, 1)
  return affineOf({ ...options, scale: factor }, 'scale')
}

/**
 * Slants images: {@link affine} with a shear alone.
 * @param amount how far rows are moved sideways, as a share of their distance from the middle
 * @throws INVALID_ARGUMENT
 */
export function shear(amount: Range, options: BorderOptions = {}): AffineTransformation {
  checkOptions('shear', options, ['mode', 'value', 'probability'])
  checkRange(amount, 'shear', 'amount', [-100, 100])
  return affineOf({ ...options, shear: amount }, 'shear')
}

/** Options of {@link brightness}, {@link contrast} and {@link saturation}. */
export interface ColourOptions extends ChanceOptions {
  /** What results are kept within. Default: 0 … 255 for bytes, no limits for floats. */
  readonly range?: readonly [low: number, high: number]
}

function colourOf(kind: ColourTransformation['kind'], factor: Range, options: ColourOptions): ColourTransformation {
  checkOptions(kind, options, ['range', 'probability'])
  const probability = probabilityOf(options, kind)
  const drawn = checkRange(factor, kind, 'factor', [0, 1e6], 1)
  if (options.range === undefined) return { kind, factor: drawn, probability }
  if (typeof options.range === 'number') throw invalid(kind, 'range', '[low, high]', options.range)
  return { kind, factor: drawn, range: checkRange(options.range, kind, 'range', [-3e38, 3e38]), probability }
}

/**
 * Multiplies the colours of images by a factor (torchvision's `ColorJitter`). Of four channels the last, taken as opacity, stays.
 * @param factor 0.2 is 0.8 … 1.2
 * @throws INVALID_ARGUMENT
 */
export function brightness(factor: Range, options: ColourOptions = {}): ColourTransformation {
  return colourOf('brightness', factor, options)
}

/**
 * Brings colours nearer to the image's mean grey or takes them away from it: factor · x + (1 − factor) · mean (torchvision's). Grey is 0.299 R + 0.587 G + 0.114 B
 * with three or four channels, else the mean is that of all channels.
 * @param factor 0.2 is 0.8 … 1.2
 * @throws INVALID_ARGUMENT
 */
export function contrast(factor: Range, options: ColourOptions = {}): ColourTransformation {
  return colourOf('contrast', factor, options)
}

/**
 * Brings colours nearer to the pixel's grey or takes them away from it: factor · x + (1 − factor) · grey (torchvision's). Of images with three or four channels.
 * @param factor 0.2 is 0.8 … 1.2
 * @throws INVALID_ARGUMENT
 */
export function saturation(factor: Range, options: ColourOptions = {}): ColourTransformation {
  return colourOf('saturation', factor, options)
}

/** Options of {@link cutout}. */
export interface CutoutOptions extends ChanceOptions {
  /** Height and width in pixels, each by itself: one number, or from one to the other. */
  readonly size: number | readonly [low: number, high: number]
  /** Default 0. */
  readonly value?: Fill
}

/**
 * Paints over a rectangle whose middle is anywhere in the image; what lies outside is left out (DeVries and Taylor, "Cutout", 2017). With sizes from … to, and
 * a probability, it is random erasing.
 * @throws INVALID_ARGUMENT
 */
export function cutout(options: CutoutOptions): CutoutTransformation {
  checkOptions('cutout', options, ['size', 'value', 'probability'])
  const { size } = options
  const [low, high] = Array.isArray(size) ? (size as [number, number]) : [size as number, size as number]
  const sizes: [number, number] = [checkInteger(low, 'cutout', 'size', 1, MOST), checkInteger(high, 'cutout', 'size', 1, MOST)]
  if (low > high || (Array.isArray(size) && size.length !== 2)) throw invalid('cutout', 'size', 'a number or [low, high]', size)
  return { kind: 'cutout', size: sizes, value: checkFill(options.value, 'cutout'), probability: probabilityOf(options, 'cutout') }
}

/**
 * Applies transformations in an order drawn for each image. Not mixup, nor another randomOrder.
 * @throws INVALID_ARGUMENT
 */
export function randomOrder(...transformations: readonly ImageTransformation[]): RandomOrderTransformation {
  if (transformations.length === 0) throw invalid('randomOrder', 'transformations', 'one or more', transformations)
  return { kind: 'randomOrder', of: transformations.map((one) => checkImageTransformation(one, 'randomOrder')) }
}

/** Options of {@link mixup}. */
export interface MixupOptions extends ChanceOptions {
  /** Of the distribution Beta(α, α) that shares are drawn from: near 0 they are close to 0 or 1, at 1 all are alike. Default 0.2. From 0.01 to 100. */
  readonly alpha?: number
}

/**
 * Mixes each sample with another one of its batch, share · x + (1 − share) · other, and their targets alike (Zhang and others, "mixup", 2018): class numbers become
 * distributions. The share is drawn for each sample from Beta(α, α). Takes samples of any shape. The last of a list.
 * @throws INVALID_ARGUMENT
 */
export function mixup(options: MixupOptions = {}): MixupTransformation {
  checkOptions('mixup', options, ['alpha', 'probability'])
  const alpha = checkNumber(options.alpha ?? 0.2, 'mixup', 'alpha', { low: 0.01, high: 100 })
  return { kind: 'mixup', alpha, probability: probabilityOf(options, 'mixup') }
}

// biome-ignore lint/suspicious/noExplicitAny: descriptions may come from files; the functions that take them check them
type Given = any

const imageMakers: Readonly<Record<string, (given: Given) => ImageTransformation>> = {
  shift: ({ most, ...options }: Given) => shift(most, options),
  flip: (options: Given) => flip(options),
  affine: (options: Given) => affine(options),
  brightness: ({ factor, ...options }: Given) => brightness(factor, options),
  contrast: ({ factor, ...options }: Given) => contrast(factor, options),
  saturation: ({ factor, ...options }: Given) => saturation(factor, options),
  cutout: (options: Given) => cutout(options),
}

const kindOf = (given: unknown): string | undefined =>
  typeof given === 'object' && given !== null && typeof (given as Given).kind === 'string' ? (given as Given).kind : undefined

const expected =
  'what shift, crop, flip, affine, rotate, scale, shear, brightness, contrast, saturation, cutout, randomOrder or mixup gives'

function checkImageTransformation(given: unknown, label: string): ImageTransformation {
  const kind = kindOf(given)
  if (kind === undefined || !Object.hasOwn(imageMakers, kind)) throw invalid(label, 'a transformation', expected, kind ?? given)
  const { kind: _, ...rest } = given as Given
  return imageMakers[kind]!(rest)
}

/** Checks a list that may have come from anywhere, and gives it with all its fields. Throws INVALID_ARGUMENT. */
export function checkTransformations(list: unknown, label: string): Transformation[] {
  if (!Array.isArray(list)) throw invalid(label, 'augment', 'an array of transformations', list)
  return list.map((given: unknown, index) => {
    const kind = kindOf(given)
    if (kind === 'randomOrder') return randomOrder(...(Array.isArray((given as Given).of) ? (given as Given).of : [undefined]))
    if (kind !== 'mixup') return checkImageTransformation(given, label)
    if (index < list.length - 1) throw invalid(label, 'mixup', 'the last transformation', given)
    const { kind: _, ...rest } = given as Given
    return mixup(rest)
  })
}
