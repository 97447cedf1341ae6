import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gradientsOf, nets } from './nets.ts'
import { difference, onEngines } from './numbers.ts'

/** Tests, on the engines that were started, the gradients of all kinds of layers, or of some. */
export function testGradients(some = Object.keys(nets)): void {
  describe('one step of training changes the weights as on the reference engine', () => {
    for (const name of some) {
      test(name, async () => {
        const { cpu, others } = await onEngines(() => gradientsOf(name))
        for (const [engine, values] of others) {
          const most = difference(values.flatMap((each) => [...each]), cpu.flatMap((each) => [...each]))
          assert.ok(most < 1e-5, `${engine}: ${most}`)
        }
      })
    }
  })
}
