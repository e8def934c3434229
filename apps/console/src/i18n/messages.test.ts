import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { fill } from './messages.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  jsx: ts.JsxEmit.ReactJSX,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2024,
  types: [],
}

/** Type-checks a file that exists only here, beside the real dictionary helper. */
function complaintsAbout(source: string): readonly string[] {
  const planted = `${folder}planted.ts`
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, version) =>
    name === planted ? ts.createSourceFile(name, source, version) : read(name, version)
  const exists = host.fileExists.bind(host)
  host.fileExists = (name) => name === planted || exists(name)
  const program = ts.createProgram([planted], options, host)
  const file = program.getSourceFile(planted)
  return program
    .getSemanticDiagnostics(file)
    .map((diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '))
}

const head = "import { defineMessages, type Translate } from './messages.ts'\n"

describe('defineMessages', { timeout: 120_000 }, () => {
  it('refuses a call that forgets a placeholder of either language', () => {
    const dictionary = "const m = defineMessages({ a: { en: 'Hello', 'zh-CN': '你好 {name}' } })\n"
    const call = (args: string) => `${head}${dictionary}declare const t: Translate<typeof m>\nt('a'${args})`
    expect(complaintsAbout(call(''))).not.toEqual([])
    expect(complaintsAbout(call(", { name: 'x' }"))).toEqual([])
  })
})

describe('fill', () => {
  it('fills what is given and leaves a gap visible', () => {
    expect(fill('{a} of {b}', { a: '1' })).toBe('1 of {b}')
  })
})
