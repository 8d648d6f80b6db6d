import { nextTurn } from '../io/files'
import type { Tensor } from '../tensor'
import { tensorStatistics } from '../train/statistics'
import { bars } from './chart'
import { histogram } from './histograms'
import { html, type Markup, number } from './text'

/** Most tensors that are drawn. */
const TENSORS = 200

type Tensors = Readonly<Record<string, Tensor>>

/** How weights, and gradients by them, are spread. Others have their turn after each tensor. */
export async function weightCards(weights: Tensors, gradients: Tensors | undefined): Promise<Markup> {
  const names = Object.keys(weights)
  const cards: Markup[] = []
  for (const name of names.slice(0, TENSORS)) {
    const tensor = weights[name]!
    const gradient = gradients?.[name]
    cards.push(html`<figure class="card"><figcaption><strong>${name}</strong><small>${tensor.shape.join(' × ') || 'one number'}</small></figcaption>
${part('weights', name, tensor, 1)}${gradient && part('gradient', name, gradient, 2)}</figure>`)
    await nextTurn()
  }
  return html`<div class="cards wide">${cards}</div>
${names.length > TENSORS && html`<p class="note">The first ${TENSORS} of ${number(names.length)} tensors.</p>`}`
}

function part(what: string, name: string, tensor: Tensor, colour: 1 | 2): Markup {
  const { edges, counts, notFinite } = histogram(tensor)
  const { mean, deviation, zeros } = tensorStatistics({ of: tensor }).of!
  const [low, high] = [edges[0]!, edges.at(-1)!]
  const facts = [
    `mean ${number(mean)}`,
    `deviation ${number(deviation)}`,
    ...(zeros > 0 ? [`${number(Math.round(zeros * tensor.data.length))} zeros`] : []),
    ...(notFinite > 0 ? [`${number(notFinite)} not finite`] : []),
  ]
  return html`<small>${what}: ${facts.join(', ')}</small>${bars(counts, colour, `${what} of ${name} from ${number(low)} to ${number(high)}`)}<div class="ends"><span>${number(low)}</span><span>${number(high)}</span></div>`
}
