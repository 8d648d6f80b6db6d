import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A block of code of the documentation, made ready to run: its results are checked where a comment says them. */
export interface Example {
  /** File and line of its first line. */
  readonly name: string
  /** As it is written, behind as many empty lines as stand above it: lines of errors are lines of the file. */
  readonly source: string
  /** The module that runs. */
  readonly module: string
  readonly language: 'js' | 'ts'
}

const root = join(__dirname, '../..')

/** The files whose blocks run: pages, and sources with docstrings. */
export function documentedFiles(): string[] {
  const under = (folder: string, ending: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name))
      .filter((name) => !name.startsWith(join('docs', 'api')))
      .sort()
  return ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...under('docs', '.md'), ...under('lib', '.ts')]
}

/** All blocks of a page or of the docstrings of a source. */
export function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8')
  return file.endsWith('.md') ? blocksOf(text, file, 0) : docstrings(text).flatMap(([line, comment]) => blocksOf(comment, file, line))
}

/** Line and text of each docstring, without its stars. */
export function docstrings(text: string): [line: number, comment: string][] {
  return [...text.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)].map((match) => [
    text.slice(0, match.index).split('\n').length - 1,
    match[0].replace(/\*\/$/, '').replace(/^[ \t]*\/?\*+ ?/gm, ''),
  ])
}

/** All blocks of a text that begins below so many lines of its file; those that are named (` ```js serve.mjs `) are files of a walk-through, which runs as a whole. */
export function blocksOf(text: string, file: string, above = 0): Example[] {
  const found: Example[] = []
  let open:
    | { readonly fence: string; readonly language: string; readonly named: boolean; readonly line: number; readonly body: string[] }
    | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ {0,3}(```+|~~~+)\s*(\S*) ?(\S*)/.exec(line)
    if (!open && fence) open = { fence: fence[1]!, language: fence[2]!, named: fence[3] !== '', line: above + index + 1, body: [] }
    else if (open && line.trim() === open.fence) {
      const name = `${file}:${open.line + 1}`
      if (/^(javascript|typescript|[cm]js|[cm]ts|[jt]sx|node)$/i.test(open.language)) throw new Error(`${name}: write \`\`\`js or \`\`\`ts`)
      if (!open.named && (open.language === 'js' || open.language === 'ts')) {
        const source = '\n'.repeat(open.line) + open.body.join('\n')
        found.push({ name, source, language: open.language, module: withChecks(source, file, open.language) })
      }
      open = undefined
    } else open?.body.push(line)
  }
  if (open) throw new Error(`${file}:${open.line}: a block that does not end`)
  return found
}

/**
 * Turns comments into checks: `expression // → value` and `const name = … // → value` compare, `expression // → throws CODE` expects that error.
 * A comment that begins so and stands behind anything else is an error.
 */
function withChecks(source: string, file: string, language: 'js' | 'ts'): string {
  const kind = language === 'ts' ? ts.ScriptKind.TS : ts.ScriptKind.JS
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true, kind)
  const edits: { readonly at: number; readonly text: string }[] = []
  let checks = 0
  const visit = (node: ts.Node) => {
    const check = ts.isExpressionStatement(node) || ts.isVariableStatement(node) ? checkOf(node) : undefined
    if (check) edits.push(...check)
    if (check) checks++
    ts.forEachChild(node, visit)
  }
  const checkOf = (node: ts.ExpressionStatement | ts.VariableStatement) => {
    const comment = /^[ \t]*\/\/ → (.*)/.exec(source.slice(node.end))?.[1]?.trim()
    if (comment === undefined) return undefined
    const line = tree.getLineAndCharacterOfPosition(node.end).line + 1
    const rest = `${JSON.stringify(comment)}, ${line})`
    if (ts.isVariableStatement(node)) {
      const { name } = node.declarationList.declarations.at(-1)!
      return [{ at: node.end, text: `; __example.value(${name.getText(tree)}, ${rest}` }]
    }
    const code = /^throws (\w+)$/.exec(comment)?.[1]
    const { expression } = node
    const [start, end] = [expression.getStart(tree), expression.end]
    if (code) {
      const open = { at: start, text: 'await __example.throws(async () => (' }
      return [open, { at: end, text: `), ${JSON.stringify(code)}, ${line})` }]
    }
    const printed =
      ts.isCallExpression(expression) && expression.expression.getText(tree) === 'console.log' && expression.arguments.length === 1
    const value = printed ? expression.arguments[0]! : expression
    return [
      { at: value.getStart(tree), text: '__example.value(' },
      { at: value.end, text: `, ${rest}` },
    ]
  }
  visit(tree)
  const written = source.match(/\/\/ →/g)?.length ?? 0
  if (written !== checks)
    throw new Error(`${file}: a \`// →\` stands behind no expression, or not at the end of its last line:\n${source.trim()}`)
  let text = source
  for (const { at, text: inserted } of edits.sort((a, b) => b.at - a.at)) text = text.slice(0, at) + inserted + text.slice(at)
  if (language === 'js') return text
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    inlineSourceMap: true,
  }
  return ts.transpileModule(text, { compilerOptions, fileName: file }).outputText
}
