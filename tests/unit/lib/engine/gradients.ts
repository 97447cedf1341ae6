import assert from 'node:assert/strict'
import { gradientsOf } from './nets.ts'
import { difference, onEngines } from './numbers.ts'

/** Holds the gradients of a net around one kind of layer, on the engines that were started, against the reference engine's. */
export async function checkGradients(name: string): Promise<void> {
  const { cpu, others } = await onEngines(() => gradientsOf(name))
  for (const [engine, values] of others) {
    const most = difference(values.flatMap((each) => [...each]), cpu.flatMap((each) => [...each]))
    assert.ok(most < 1e-5, `${engine}: ${most}`)
  }
}
