import vm from 'node:vm'
import type { Output } from './cell/output.ts'
import { rewrite, type Earlier } from './cell/rewrite.ts'
import { scopeOf } from './cell/scope.ts'
import { readCell } from './cell/transpile.ts'
import { toText } from './display/bundle.ts'

const typed = `interface Item { name: string, tags: string[] }
const items: Item[] = [{ name: 'a', tags: ['x'] }, { name: 'b', tags: [] }]
function count(list: Item[]): number { let sum = 0; for (const { tags } of list) sum += tags.length; return sum }
count(items)`
const plain = 'const a = 1\na + 1'

const alone: Earlier = { stored: name => name, ready: name => name, isConstant: () => false, isDeclared: () => false, isObserved: () => false }

/**
 * Has the code that every cell goes through compiled by the engine, by letting it work for nothing: the first cells, and the first thousands of
 * lines they print, then take half the time. For a moment in which nothing else is to be done.
 */
export function warmUp(output: Output): void {
  for (let i = 0; i < 20; i++) {
    for (const cell of [typed, plain]) {
      const { code, program } = readCell(cell)
      new vm.Script(rewrite(code, program, scopeOf(program), alone).code.toString())
    }
    toText(i)
  }
  output.warmUp()
}
