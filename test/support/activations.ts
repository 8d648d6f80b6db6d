import type { Attributes } from '../../lib/ops/op'

/** Every activation that takes each element by itself, with parameters for those that have some, and what its gradient reads. */
export const activations: Readonly<Record<string, { readonly attributes: Attributes; readonly from: 'x' | 'y' }>> = {
  relu: { attributes: {}, from: 'y' },
  sigmoid: { attributes: {}, from: 'y' },
  tanh: { attributes: {}, from: 'y' },
  leakyRelu: { attributes: { slope: 0.2 }, from: 'y' },
  elu: { attributes: { alpha: 1.5 }, from: 'y' },
  selu: { attributes: {}, from: 'y' },
  softplus: { attributes: {}, from: 'y' },
  softsign: { attributes: {}, from: 'y' },
  hardSigmoid: { attributes: {}, from: 'y' },
  silu: { attributes: {}, from: 'x' },
  mish: { attributes: {}, from: 'x' },
  gelu: { attributes: {}, from: 'x' },
  geluTanh: { attributes: {}, from: 'x' },
  hardSwish: { attributes: {}, from: 'x' },
  linearThreshold: { attributes: { max: 0.75, slope: 0.1, threshold: -0.25 }, from: 'x' },
}

/** Attributes of a step with this activation, `'linear'` included. */
export const activated = (activation: string): Attributes => ({ ...activations[activation]?.attributes, activation })
export const activationNames = Object.keys(activations)
