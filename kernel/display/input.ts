import { GraftError } from '../../lib/error.ts'
import type { Output } from '../cell/output.ts'
import type { ToKernel } from '../messages.ts'
import { Promise } from '../own.ts'
import { ownCell } from '../running.ts'

/**
 * Questions to the person at the front end: `await input('Name? ')` in a cell, or `prompt` and `confirm`, which wait without `await` as in browsers.
 */
export class Questions {
  readonly #output: Output
  readonly #send: (header: ToKernel) => void
  readonly #waitForAnswer: (ask: () => void) => string | null
  readonly #open = new Map<number, (value: string) => void>()
  #count = 0

  /** @param waitForAnswer asks and blocks until the answer is there */
  constructor(output: Output, send: (header: ToKernel) => void, waitForAnswer: (ask: () => void) => string | null) {
    this.#output = output
    this.#send = send
    this.#waitForAnswer = waitForAnswer
  }

  /**
   * Asks for a line of text.
   * @param options.password shows dots instead of what is typed
   * @throws GraftError where the front end takes no input, as in a run without a person
   */
  input(prompt: string = '', { password = false }: { password?: boolean } = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const question = this.#ask(prompt, password, false), { signal } = ownCell()!
      const interrupt = () => { this.#open.delete(question); reject(signal.reason as Error) }
      signal.addEventListener('abort', interrupt, { once: true })
      this.#open.set(question, value => { signal.removeEventListener('abort', interrupt); resolve(value) })
    })
  }

  /** Asks for a line of text and waits for it; null where it was dismissed. */
  prompt(message: string = '', standard: string = ''): string | null {
    const answer = this.#waitForAnswer(() => this.#ask(standard ? `${message} [${standard}] ` : `${message} `, false, true))
    return answer === '' ? standard : answer
  }

  /** Asks for y or n and waits for it. */
  confirm(message: string = ''): boolean {
    return /^\s*y/i.test(this.#waitForAnswer(() => this.#ask(`${message} [y/n] `, false, true)) ?? '')
  }

  /** Takes an answer to {@link input}. */
  answer(question: number, value: string | null): void {
    this.#open.get(question)?.(value ?? '')
    this.#open.delete(question)
  }

  #ask(prompt: string, password: boolean, sync: boolean): number {
    const cell = ownCell()
    if (!cell?.stdin) throw new GraftError('this front end takes no input (allow_stdin is false): give the value in the code, or open the notebook in JupyterLab')
    this.#output.flush()
    const question = ++this.#count
    this.#send({ type: 'question', cell: cell.id, question, prompt: String(prompt), password, sync })
    return question
  }
}
