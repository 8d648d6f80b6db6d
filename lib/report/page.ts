import { createHash } from 'node:crypto'
import { style } from './style'
import { html, Markup } from './text'

/** A part of the page. */
export interface Section {
  /** Of its anchor. */
  readonly id: string
  readonly title: string
  readonly body: Markup
}

/** Numbers at the top: a name, and what it is. */
export type Tile = readonly [name: string, value: string]

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')

/** Nothing may be fetched, sent or run; styles are those of this release alone, pictures lie in the page. */
const policy = `default-src 'none'; img-src data:; style-src 'sha256-${sha256(style)}'; base-uri 'none'; form-action 'none'`

/** The whole page: one file without scripts, which needs nothing else. */
export function page(title: string, subtitle: string, tiles: readonly Tile[], sections: readonly Section[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="convlane">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header><h1>${title}</h1><p>${subtitle}</p>
<dl class="tiles">${tiles.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<nav aria-label="Sections"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav></header>
<main id="main">
${sections.map(
  ({ id, title: name, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>
${body}
</section>
`,
)}</main>
</body>
</html>
`.text
}
