import { createRequire } from 'node:module'
import type * as Parser from 'oxc-parser'

const require = createRequire(import.meta.url)
let parser: typeof Parser | undefined

/** The syntax tree of a cell, or of a file. The parser is loaded when it is first needed, while the language server starts. */
export function parse(source: string, options: Parser.ParserOptions = {}, name: string = 'cell.ts'): Parser.ParseResult {
  parser ??= require('oxc-parser') as typeof Parser
  return parser.parseSync(name, source, { sourceType: 'module', ...options })
}
