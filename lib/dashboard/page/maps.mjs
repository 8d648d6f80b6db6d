import { element, make, numberText } from './text.mjs'

/** @typedef {{ name: string, type: string, shape: number[], most: number, colours: string, maps: number, width: number, height: number, png: string }} LayerMaps */
/** @typedef {{ image: number, at: number, message?: string, layers: LayerMaps[] }} Maps */

/** The inputs to choose from, and what the layers make of the one that is chosen. */
export class MapsView {
  /** @param {(image: number) => void} onChoice */
  constructor(onChoice) {
    this.onChoice = onChoice
    this.image = 0
    this.shown = ''
  }

  /** @param {string[]} sources */
  inputs(sources) {
    element('maps').hidden = sources.length === 0
    const key = sources.join()
    if (key === this.shown) return
    this.shown = key
    element('layers').replaceChildren()
    element('maps-at').textContent = 'waiting for the first drawing'
    if (this.image >= sources.length) this.image = 0
    const labels = sources.map((src, index) => {
      const radio = /** @type {HTMLInputElement} */ (make('input', { type: 'radio', name: 'input', value: String(index) }))
      radio.checked = index === this.image
      radio.addEventListener('change', () => {
        this.image = index
        element('maps-at').textContent = 'waiting for the next drawing'
        this.onChoice(index)
      })
      return make('label', {}, radio, make('img', { src, alt: `input ${index + 1} of ${sources.length}` }))
    })
    element('inputs').replaceChildren(make('legend', {}, 'Input'), ...labels)
  }

  /** @param {Maps} maps */
  maps({ image, at, message, layers }) {
    if (image !== this.image) return
    element('maps-at').textContent = message === undefined ? `after step ${at.toLocaleString('en')}` : `not drawn: ${message}`
    const parent = element('layers')
    parent.setAttribute('data-at', String(at))
    layers.forEach((layer, index) => {
      const figure = /** @type {HTMLElement} */ (parent.children[index] ?? parent.appendChild(newFigure()))
      fill(figure, layer)
    })
    while (parent.children.length > layers.length) parent.lastElementChild?.remove()
  }
}

function newFigure() {
  return make('figure', {}, make('figcaption', {}, make('b'), make('span')), make('img', {}))
}

/**
 * @param {HTMLElement} figure
 * @param {LayerMaps} layer
 */
function fill(figure, { name, type, shape, most, colours, maps, width, height, png }) {
  const [title, rest] = /** @type {HTMLElement[]} */ ([...(figure.firstElementChild?.children ?? [])])
  const picture = /** @type {HTMLImageElement} */ (figure.lastElementChild)
  const sizes = shape.join(' × ')
  const all = shape[shape.length - 1]
  const some = maps === all ? `${maps}` : `the first ${maps} of ${all}`
  const range = colours === 'grey' ? `0 to ${numberText(most)}` : `−${numberText(most)} to ${numberText(most)}`
  figure.setAttribute('data-layer', name)
  if (title) title.textContent = name
  if (rest) rest.textContent = ` ${type === name ? '' : `(${type}) `}${sizes}; ${maps === all ? '' : `${some}; `}${range}`
  picture.width = width
  picture.height = height
  picture.alt = `${shape.length > 1 ? `${some} feature maps of ${sizes.replace(/ × \d+$/, '')}` : `${some} numbers`} that ${name} gives, from ${range}`
  picture.src = png
}
