import { codeFrame, jsxWord, positionAt } from '../cell/frame.ts'
import type { Described } from '../cell/traceback.ts'
import type { CellNumber } from '../messages.ts'

/** A diagnostic of the language server; positions count from 0, in the live document. */
export interface Diagnostic {
  range: { start: { line: number, character: number }, end: { line: number, character: number } }
  severity: number
  code: number
  message: string
}

/** What may well be right when it runs: imports, which are resolved then, and modules' forms, which are bridged then. */
const importCodes = [1192, 1259, 1471, 1479, 2305, 2306, 2307, 2497, 2613, 2614, 2616, 2691, 2792, 2821, 2823, 2834, 2835,
  2846, 2877, 2882]
/** What is possible and not certain: null, undefined, "used before it was assigned", "has no initializer". */
const possibleCodes = [2454, 2531, 2532, 2533, 2564, 2565, 2566, 2571]
/** What depends on a setting that a cell cannot change; 2527, 2742 and 2883 come of `declaration`, which wants every type to have a name. */
const settingCodes = [1202, 1203, 1205, 1206, 1208, 1219, 1238, 1239, 1240, 1241, 1286, 1287, 1343, 1375, 1378, 1432, 1448,
  2354, 2527, 2580, 2591, 2688, 2742, 2883]
/** `this` in a function that says nothing of it: the implicit `any` that is not among TypeScript's 7xxx. */
const implicitThis = 2683
const tolerated = new Set([...importCodes, ...possibleCodes, ...settingCodes, implicitThis])

/** A `let` without a type, a package without types, a name put on globalThis: `any` is what was meant. */
const meant = new Set([7005, 7016, 7017, 7034])

/** The first place where a type is `any` because nothing says what it is (TypeScript's 7xxx and 2683): no error, but worth a word. */
export const implicitAny = (diagnostics: Diagnostic[], source: string): Diagnostic | undefined =>
  inCell(diagnostics, source).find(({ severity, code }) => severity === 1 && (code === implicitThis || code >= 7000 && code < 8000) && !meant.has(code))

/** The implicit `any` as a warning. */
export function describeImplicitAny({ message, code, range }: Diagnostic, number: CellNumber): Described {
  const evalue = `Cell ${number}, line ${range.start.line}: ${message.split('\n')[0]} (TS${code})`
  return { ename: 'TypeScriptError', evalue, traceback: [evalue, 'The cell runs all the same, and this is said once.'] }
}

/**
 * The diagnostics that are definite errors of the cell itself: TypeScript's 1xxx and 2xxx, less what may be right at run time.
 * @param nullable null and undefined count as values of every type
 */
export function complaints(diagnostics: Diagnostic[], source: string, { nullable = false } = {}): Diagnostic[] {
  const isDefinite = (d: Diagnostic) => d.severity === 1 && d.code >= 1000 && d.code < 3000 && !tolerated.has(d.code) && !isPossible(d) && !(nullable && isNull(d))
  return inCell(diagnostics, source).filter(isDefinite)
    .sort((a, b) => a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character)
}

/** Above and below the cell's own lines stands what ties it to the others. */
function inCell(diagnostics: Diagnostic[], source: string): Diagnostic[] {
  const lines = source.split('\n').length
  return diagnostics.filter(({ range }) => range.start.line > 0 && range.start.line <= lines)
}

/** `null` itself where a number is expected. */
const isNull = ({ code, message }: Diagnostic) => (code === 2322 || code === 2345) && /^(Type|Argument of type) '(null|undefined)' is not assignable/.test(message)

/** `number | undefined` where a number is expected: it may be one. */
const isPossible = ({ code, message }: Diagnostic) => (code === 2322 || code === 2345) &&
  /^[^\n]*\b(undefined|null)\b[^\n]*is not assignable/.test(message) && /\n\s*Type '(undefined|null)' is not assignable to type [^\n]*$/.test(message)

/** The complaints as Jupyter's `error` message: the first gives the name and the value, all (up to five) stand in the traceback. */
export function describeComplaints(found: Diagnostic[], source: string, number: CellNumber, readable: (text: string) => string): Described {
  const traceback: string[] = []
  for (const { message, code, range } of found.slice(0, 5)) {
    const { line, character } = range.start
    const length = range.end.line === line ? range.end.character - character : 1
    if (traceback.length) traceback.push('')
    traceback.push(`${nameOf(code)}: ${readable(message)} (TS${code})`, '', `Cell ${number}, line ${line}`,
      ...codeFrame(source, line, character + 1, length).split('\n'))
  }
  const { line } = found[0].range.start, [before, text] = [line - 2, line - 1].map(at => source.split('\n')[at]?.trim() ?? '')
  if (/^[[(`]/.test(text) && /[\w$)\]}'"`]$/.test(before)) traceback.push('', `Line ${line} goes on from the line before, as it begins with ${text[0]}. A ; before it makes it a statement of its own.`)
  if (found.length > 5) traceback.push('', `… and ${found.length - 5} more.`)
  return { ename: nameOf(found[0].code), evalue: readable(found[0].message), traceback }
}

/** JSX, which TypeScript calls many other things. */
export function describeJsx(source: string, number: CellNumber, offset: number): Described {
  const { line, column } = positionAt(source, offset)
  return { ename: 'SyntaxError', evalue: jsxWord, traceback: [`SyntaxError: ${jsxWord}`, '', `Cell ${number}, line ${line}`, ...codeFrame(source, line, column).split('\n')] }
}

const nameOf = (code: number) => code < 2000 ? 'SyntaxError' : 'TypeScriptError'
