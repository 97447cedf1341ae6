import type { Host } from '../../lib/host.ts'
import type { Interrupts } from '../cell/interrupt.ts'
import type { Output } from '../cell/output.ts'
import { ownCell } from '../running.ts'
import { toJson } from './bundle.ts'
import type { Comms } from './comms.ts'
import { publishBundle, updateBundle } from './display.ts'

/** What library code finds as its surroundings inside the kernel (lib/host.ts). */
export function makeHost(output: Output, comms: Comms, interrupts: Interrupts): Host & { toldTypes: WeakMap<object, string> } {
  const idle = new AbortController().signal, toldTypes = new WeakMap<object, string>()
  return {
    toldTypes,
    display: (bundle, id) => publishBundle(output, toJson(bundle), id),
    update: (id, bundle) => updateBundle(output, id, toJson(bundle)),
    comm: (target, data, metadata) => comms.open(target, data, metadata),
    get signal() { return ownCell()?.signal ?? idle },
    section: (work, options) => interrupts.section(work, options),
    afterInterrupt: restore => interrupts.afterwards(restore),
    typeOf(value, ts) { if (typeof value === 'object' && value !== null || typeof value === 'function') toldTypes.set(value, ts) },
  }
}
