import type { Display } from '../display/display.ts'

declare global {
  /** Shows a value as the last expression of a cell shows, at any place in the code: `display(x)`, ``display.html`<b>${x}</b>` ``. */
  const display: Display
  /** Removes the cell's output; with `wait`, as soon as the next output is there. */
  function clear(wait?: boolean): void
  /** Asks the person at the notebook for a line of text: `const name = await input('Name? ')`. */
  function input(prompt?: string, options?: { password?: boolean }): Promise<string>
}
