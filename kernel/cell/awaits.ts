import type MagicString from 'magic-string'
import { Promise } from '../own.ts'
import { hasEnded } from '../running.ts'
import { Interrupted } from './interrupted.ts'
import type { Node } from './scope.ts'

const symbol = 'graft.awaits'

/** The words before a cell's code by which its awaits find {@link installAwaits}'s functions. */
export const awaitsHead = `const { enter: enter$cell, resume: resume$cell } = globalThis[Symbol.for('${symbol}')];`

/**
 * Guards the awaits of a cell, also those in its functions: once the cell was interrupted and is over, what waits still is told so by an
 * {@link Interrupted}, and a new `await` never comes back. Otherwise `while (true) await sleep(5)` would go on for ever behind the user's back.
 * The value that is awaited, and the number of ticks that takes, stay what they were.
 */
export function guardAwaits(code: MagicString, awaits: Node[]): void {
  for (const node of awaits) {
    if (node.type !== 'AwaitExpression') continue
    code.appendRight(node.start, 'resume$cell(')
    code.appendLeft(node.start + 'await'.length, ' enter$cell(')
    code.appendLeft(node.end, '))')
  }
  // After the awaits: a loop's body may be an await alone, and the braces stand around all of it.
  for (const node of awaits) {
    if (node.type !== 'ForOfStatement') continue
    code.prependRight(node.body.start, '{ resume$cell(); ')
    code.appendLeft(node.body.end, ' }')
  }
}

/** Installs the two functions that {@link guardAwaits} writes around an `await`. */
export function installAwaits(): void {
  const never = () => new Promise(() => {})
  const functions = {
    enter: (value: unknown) => hasEnded() ? never() : value,
    resume(value: unknown) {
      if (hasEnded()) throw new Interrupted()
      return value
    },
  }
  Object.defineProperty(globalThis, Symbol.for(symbol), { value: functions, configurable: true })
}
