import vm from 'node:vm'
import type { Output } from './cell/output.ts'
import { rewrite, type Earlier } from './cell/rewrite.ts'
import { scopeOf } from './cell/scope.ts'
import { readCell } from './cell/transpile.ts'
import { toText } from './display/bundle.ts'
import { runAs, RunningCell } from './running.ts'

const typed = `interface Item { name: string, tags: string[] }
const items: Item[] = [{ name: 'a', tags: ['x'] }, { name: 'b', tags: [] }]
function count(list: Item[]): number { let sum = 0; for (const { tags } of list) sum += tags.length; return sum }
count(items)`
const plain = 'const a = 1\na + 1'
const printing = 'for (let i = 0; i < 5000; i++) console.log(i)'

const alone: Earlier = { stored: name => name, ready: name => name, isConstant: () => false, isDeclared: () => false, isObserved: () => false }

/**
 * Has the code that every cell goes through compiled by the engine, by letting it work for nothing: the first cells, and the first thousands of
 * lines they print, then take half the time. For a moment in which nothing else is to be done.
 */
export function warmUp(output: Output): void {
  for (let i = 0; i < 20; i++) {
    compile(typed)
    compile(plain)
    toText(i)
  }
  // A cell may have put a function of its own there.
  if (console.log !== output.log) return
  // As cells of their own, which they are to V8: what it has optimized for one way through the code it throws away at the first other one.
  output.mute(() => {
    for (let i = 0; i < 4; i++) {
      const cell = new RunningCell({ id: 0, number: 0, count: 0, stdin: false, silent: true })
      runAs(cell, compile(printing).runInThisContext() as () => void, { isLatest: false })
    }
  })
}

function compile(source: string): vm.Script {
  const { code, program } = readCell(source)
  return new vm.Script(rewrite(code, program, scopeOf(program), alone).code.toString())
}
