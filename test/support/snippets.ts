import { resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as lib from '../../lib/index'

const root = resolve(__dirname, '../..')
const folder = resolve(root, 'test/types')
const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(resolve(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
/** Classes that are imported as types alone. */
const types = ['Layer', 'Model', 'Node']
const header = `import { ${Object.keys(lib)
  .filter((name) => !types.includes(name))
  .join(', ')} } from '../../lib/index'
import type { Layer, Model, Node } from '../../lib/index'
`

interface Complaint {
  /** The text that the error stands at. */
  readonly at: string
  readonly message: string
}

/** What the compiler says about snippets, each a file of its own that has every export of the library. One program, so that the library is read once. */
function compile(snippets: readonly string[]): Complaint[][] {
  const files = new Map(snippets.map((snippet, index) => [resolve(folder, `snippet${index}.ts`), header + snippet]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file) ?? readFile(file)
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(file)
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].map((file) => {
    const source = program.getSourceFile(file)!
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start, length, messageText }) => ({
        at: source.text.slice(start, start! + length!),
        message: ts.flattenDiagnosticMessageText(messageText, '\n'),
      }),
    )
  })
}

/** A snippet that must not compile, the text that the one error stands at, and what its message holds. */
export type Refused = readonly [snippet: string, at: string, message: string]

/** One test for each snippet: that it compiles, or that it does not and why. */
export function describeSnippets(
  name: string,
  accepted: Readonly<Record<string, string>>,
  refused: Readonly<Record<string, Refused>>,
): void {
  describe(name, () => {
    const complaints = compile([...Object.values(accepted), ...Object.values(refused).map(([snippet]) => snippet)])
    test.each(Object.keys(accepted).map((what, index) => [what, index] as const))('compiles: %s', (_what, index) => {
      expect(complaints[index]).toEqual([])
    })
    const first = Object.keys(accepted).length
    test.each(Object.entries(refused).map(([what, [, at, message]], index) => [what, first + index, at, message] as const))(
      'refuses: %s',
      (_what, index, at, message) => {
        expect(complaints[index]).toHaveLength(1)
        const [complaint] = complaints[index]!
        expect(complaint!.at).toBe(at)
        expect(complaint!.message).toContain(`"${message}"`)
      },
    )
  })
}
