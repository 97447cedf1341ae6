import type { Message } from '../kernel/wire/message.ts'
import type { CellOutput } from './notebook.ts'

/** Gathers what cells show, as a front end does: streams joined, displays replaced in place, also those of earlier cells. */
export class Outputs {
  readonly #displays = new Map<string, CellOutput[]>()
  #clearing = false

  /** Takes one message into the outputs of the cell that it belongs to. */
  take(outputs: CellOutput[], { header, content }: Message): void {
    const { data, metadata, transient } = content as {
      data: Record<string, unknown>
      metadata: Record<string, unknown>
      transient?: { display_id?: string }
    }
    switch (header.msg_type) {
      case 'stream': {
        this.#clear(outputs)
        const last = outputs.at(-1)
        if (last?.output_type === 'stream' && last.name === content.name) last.text += String(content.text)
        else outputs.push({ output_type: 'stream', name: String(content.name), text: String(content.text) })
        return
      }
      case 'display_data':
      case 'execute_result': {
        this.#clear(outputs)
        const output: CellOutput = {
          output_type: header.msg_type,
          data,
          metadata: metadata ?? {},
          ...(header.msg_type === 'execute_result' && { execution_count: content.execution_count as number }),
        }
        outputs.push(output)
        const id = transient?.display_id
        if (id) this.#displays.set(id, [...(this.#displays.get(id) ?? []), output])
        return
      }
      case 'update_display_data':
        for (const output of this.#displays.get(transient?.display_id ?? '') ?? [])
          Object.assign(output, { data, metadata: metadata ?? {} })
        return
      case 'clear_output':
        if (content.wait) this.#clearing = true
        else outputs.length = 0
        return
      case 'error':
        this.#clear(outputs)
        outputs.push({
          output_type: 'error',
          ename: String(content.ename),
          evalue: String(content.evalue),
          traceback: content.traceback as string[],
        })
    }
  }

  #clear(outputs: CellOutput[]): void {
    if (this.#clearing) outputs.length = 0
    this.#clearing = false
  }
}
