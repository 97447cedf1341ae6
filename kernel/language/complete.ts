import { isObjectLiteral } from '../cell/intent.ts'
import { parse } from './parse.ts'

/** What `is_complete_reply` carries. */
export interface Completeness {
  status: 'complete' | 'incomplete' | 'invalid' | 'unknown'
  /** How far to indent the next line of incomplete code. */
  indent?: string
}

/** Tells a terminal front end whether Enter should run the code or open another line. */
export function isComplete(code: string): Completeness {
  const end = code.trimEnd().length
  const { errors } = parse(code)
  if (!errors.length || isObjectLiteral(code)) return { status: 'complete' }
  const isOpen = errors.some(({ message, labels }) =>
    labels.some(({ start }) => start >= end) || isUnterminated(message, code.slice(labels[0]?.start)))
  return isOpen ? { status: 'incomplete', indent: indentAfter(code) } : { status: 'invalid' }
}

/** A template or a block comment goes on in the next line; a string does not. */
const isUnterminated = (message: string, from: string) => /^Unterminated/.test(message) && /^(`|\/\*|\})/.test(from)

function indentAfter(code: string): string {
  const line = code.trimEnd().split('\n').at(-1) ?? ''
  const now = /^\s*/.exec(line)![0]
  return /[{([]$|=>$/.test(line) ? now + '  ' : now
}
