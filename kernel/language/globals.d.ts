import type { DenoDisplayOptions, DenoNames, Displayable as OwnDisplayable } from '../display/deno.ts'
import type { Display } from '../display/display.ts'

declare global {
  /** Shows a value as the last expression of a cell shows, at any place in the code: `display(x)`, ``display.html`<b>${x}</b>` ``. */
  const display: Display
  /** Removes the cell's output; with `wait`, as soon as the next output is there. */
  function clear(wait?: boolean): void
  /** Asks the person at the notebook for a line of text: `const name = await input('Name? ')`. With `password`, dots are shown instead of what is typed. */
  function input(prompt?: string, options?: { password?: boolean }): Promise<string>
  /** Asks for a line of text and waits for it, without `await`; `standard` stands for an empty answer, and null says that the question was dismissed. */
  function prompt(message?: string, standard?: string): string | null
  /** What notebooks for Deno's kernel show things with. */
  const Deno: DenoNames
  namespace Deno.jupyter {
    type Displayable = OwnDisplayable
    type DisplayOptions = DenoDisplayOptions
    interface VegaObject { $schema: string, [key: string]: unknown }
    type MediaBundle = Record<string, string | object | undefined>
  }
  /** The latest value that a cell showed. */
  const _: any
  /** Asks for y or n and waits for it, without `await`. */
  function confirm(message?: string): boolean
}
