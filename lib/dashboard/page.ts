import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A page that needs nothing from anywhere else. */
export interface Page {
  readonly html: string
  /** The Content-Security-Policy that it is served with: its own script and style run, nothing else does. */
  readonly policy: string
}

let made: Page | undefined

/** The page of the dashboard. The build puts the finished page into `dist/dashboard/page.js` in place of this module: the package has neither the parts nor uPlot as a dependency. */
export function page(): Page {
  made ??= assemble()
  return made
}

/** Parts of the script, each after those that it imports: in the page they share one scope. */
const scripts = ['text.mjs', 'chart.mjs', 'maps.mjs', 'main.mjs']

function assemble(): Page {
  const root = join(__dirname, '../..')
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const [parts, plots] = ['lib/dashboard/page', 'node_modules/uplot']
  const license = `/*! uPlot, in this page. ${read(`${plots}/LICENSE`)}\n*/\n`
  const style = `${license}${read(`${plots}/dist/uPlot.min.css`)}\n${read(`${parts}/page.css`)}`
  const own = scripts.map((name) => read(`${parts}/${name}`).replace(/^import .*\n|^export /gm, '')).join('\n')
  const script = `${license}${read(`${plots}/dist/uPlot.iife.min.js`)}\n;(() => {\n'use strict'\n${own}\n})()\n`
  const html = read(`${parts}/page.html`)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return { html, policy: policy.join('; ') }
}
