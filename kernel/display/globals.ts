import type { Output } from '../cell/output.ts'
import { makeDeno } from './deno.ts'
import type { Display } from './display.ts'
import type { Questions } from './input.ts'

/** What the kernel gives to cells beside the library; kernel/language/globals.d.ts tells TypeScript of the same names. */
export function globalsOf(output: Output, { display, clear }: { display: Display, clear: (wait?: boolean) => void }, questions: Questions) {
  return {
    display, clear,
    input: questions.input.bind(questions), prompt: questions.prompt.bind(questions), confirm: questions.confirm.bind(questions),
    Deno: makeDeno(output),
  }
}
