import { resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { documentedFiles, examplesOf } from '../support/examples'

const root = resolve(__dirname, '../..')
const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(resolve(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
const examples = documentedFiles().flatMap(examplesOf)

/** What follows from parameters without types alone: the overload for tensors is the first, and an array that is destructured is thought to be a tuple. */
const fromUntyped =
  /'Tensor' is missing the following properties from type 'Value'|Target requires \d+ element\(s\) but source may have fewer/

/**
 * What the compiler says about the blocks of one language: whoever copies an example into a TypeScript project must be able to. Parameters of JavaScript
 * have no types; a line whose comment says that it throws may be one that does not compile.
 */
function complaints(language: 'js' | 'ts'): string[] {
  const files = new Map(
    examples
      .filter((example) => example.language === language)
      .map((example, index) => [resolve(__dirname, `example${index}.m${language}`), example]),
  )
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file)?.source ?? readFile(file)
  host.getSourceFile = (file, target, ...rest) => {
    const example = files.get(file)
    return example ? ts.createSourceFile(file, example.source, target) : getSourceFile(file, target, ...rest)
  }
  const loose = language === 'js' ? { allowJs: true, checkJs: true, strict: false } : {}
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, ...loose },
    host,
  )
  return [...files].flatMap(([file, { name, source }]) => {
    const tree = program.getSourceFile(file)!
    const lines = source.split('\n')
    return [...program.getSyntacticDiagnostics(tree), ...program.getSemanticDiagnostics(tree)].flatMap(({ start, messageText }) => {
      const { line } = tree.getLineAndCharacterOfPosition(start!)
      if (language === 'js' && fromUntyped.test(ts.flattenDiagnosticMessageText(messageText, ' '))) return []
      if (/\/\/ → throws \w+$/.test(lines[line]!)) return []
      return [`${name.replace(/:\d+$/, '')}:${line + 1}: ${lines[line]!.trim()}\n  ${ts.flattenDiagnosticMessageText(messageText, '\n')}`]
    })
  })
}

test.each(['js', 'ts'] as const)(
  'the examples in %s compile',
  (language) => {
    expect(complaints(language)).toEqual([])
  },
  120_000,
)
