/**
 * The library is compiled once, to CommonJS. `import` gets thin modules that name every export of that one copy, so a class is
 * the same class whichever way it was loaded.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './build-state.mjs'

/** Names of the values (not types) that a declaration file exports. */
function exportedValues(declarations) {
  const program = ts.createProgram([declarations], {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    skipLibCheck: true,
  })
  const checker = program.getTypeChecker()
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(declarations))
  const isValue = (exported) => {
    const isTypeOnly = exported.declarations?.some((node) => ts.isExportSpecifier(node) && ts.isTypeOnlyImportOrExportDeclaration(node))
    const resolved = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    return !isTypeOnly && (resolved.flags & ts.SymbolFlags.Value) !== 0
  }
  return checker
    .getExportsOfModule(symbol)
    .filter(isValue)
    .map(({ name }) => name)
    .sort()
}

/** Writes dist/<entry>.mjs and dist/<entry>.d.mts beside the compiled dist/<entry>.js. */
export function writeModuleWrappers(entries) {
  for (const entry of entries) {
    const base = join(root, 'dist', entry)
    if (!existsSync(`${base}.d.ts`)) continue
    const names = exportedValues(`${base}.d.ts`)
    writeFileSync(
      `${base}.mjs`,
      `import entry from './${entry}.js'\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = entry\n`,
    )
    writeFileSync(`${base}.d.mts`, `export * from './${entry}.js'\n`)
  }
}

/** Removes outputs whose source is gone. */
export function pruneOutputs(sourceFolder, outputFolder) {
  if (!existsSync(join(root, outputFolder))) return
  const isCompiled = /\.(js|d\.ts)$/
  for (const entry of readdirSync(join(root, outputFolder), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const source = file.replace(join(root, outputFolder), join(root, sourceFolder)).replace(isCompiled, '.ts')
    if (entry.isFile() && isCompiled.test(file) && !existsSync(source)) rmSync(file)
  }
}
