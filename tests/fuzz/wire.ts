// Sends a kernel what no front end should: damaged frames, wrong signatures, messages of every kind with contents of none. It must go on
// answering, in bounded memory, with its variables.
//
//     node tests/fuzz/wire.ts [messages] [seed]
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Dealer } from 'zeromq'
import { Client, TestKernel } from './client.ts'
import { randomOf } from './random.ts'

type Frames = (Uint8Array | string)[]

/** Not `shutdown_request`, nor `interrupt_request`: asked again and again in vain, as on a busy machine, it ends the process, and should. */
const types = [
  'kernel_info_request', 'connect_request', 'comm_info_request', 'history_request', 'is_complete_request', 'comm_open', 'comm_msg', 'comm_close', 'list_subshell_request',
  'delete_subshell_request', 'usage_request', 'input_reply', 'execute_reply', 'surprise_request', 'constructor', '__proto__', 'debug_request',
]
/** These cost more, and come less often. */
const costly = ['execute_request', 'complete_request', 'inspect_request', 'create_subshell_request']
const fields = [
  'code', 'cursor_pos', 'detail_level', 'hist_access_type', 'n', 'session', 'start', 'stop', 'pattern', 'output', 'unique', 'comm_id', 'target_name', 'data', 'subshell_id', 'value',
  'silent', 'store_history', 'user_expressions', 'allow_stdin', 'stop_on_error', 'type', 'seq', 'command', 'arguments', '__proto__', 'constructor', 'toString',
]
const words = ['', 'a', 'Math.', 'debugInfo', 'dumpCell', 'setBreakpoints', 'source', 'variables', 'range', 'search', 'tail', '*[', '1 + 1', '}{', '\u0000', '\ud800', '𝒳'.repeat(50), '%types', '../../x']

/** Sends this many messages. @throws Error where the kernel dies, falls silent or grows without bounds */
export async function fuzzWire(messages: number, seed: number, progress: (sent: number, megabytes: number) => void = () => {}): Promise<{ sent: number, megabytes: number }> {
  const kernel = await TestKernel.start(), client = new Client(kernel), random = randomOf(seed)
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]
  const value = (depth = 0): unknown => {
    const kind = Math.floor(random() * (depth > 3 ? 6 : 9))
    if (kind < 2) return pick(words)
    if (kind < 4) return pick([0, -1, 1.5, 1e308, 2 ** 53, 70, -0])
    if (kind < 6) return pick([null, true, false])
    if (kind < 7) return Array.from({ length: Math.floor(random() * 5) }, () => value(depth + 1))
    return object(depth + 1)
  }
  // Entries, because a literal `__proto__` would be no property.
  const object = (depth = 0): object => Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [pick(fields), value(depth)]))
  const wellFormed = (): Frames => {
    const type = random() < 0.04 ? pick(costly) : pick(types)
    // Code that is sent by chance runs: none of the words does harm.
    return client.wire.pack({ type, content: object(), metadata: object(), ...random() < 0.3 && { parent: object() } }).frames
  }
  const damaged = (): Frames => {
    const frames = wellFormed().map(frame => Buffer.from(frame as string))
    for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
      const at = Math.floor(random() * frames.length), kind = random()
      if (kind < 0.2) frames.splice(at, 1)
      else if (kind < 0.35) frames.splice(at, 0, frames[at] ?? Buffer.alloc(0))
      else if (kind < 0.5) frames[at] = frames[at]?.subarray(0, Math.floor(random() * frames[at].length)) ?? Buffer.alloc(0)
      else if (kind < 0.9 && frames[at]?.length) frames[at][Math.floor(random() * frames[at].length)] ^= 1 << Math.floor(random() * 8)
      else frames.push(Buffer.alloc(Math.floor(random() * 2000), random() * 256))
      if (!frames.length) frames.push(Buffer.alloc(0))
    }
    return frames
  }
  /** The signature fits, and the parts are what they should not be. */
  const odd = (): Frames => client.wire.pack({ type: pick(types), content: Buffer.from(pick(['[]', 'null', '5', '"x"', '{', '', '\xff', '{"a":'.repeat(500), JSON.stringify(value())])), parent: object() }).frames
  let sent: Frames[] = []
  let vanishing: Dealer | null = null
  try {
    if ((await client.run('%types off\nlet witness = 41')).status !== 'ok') throw new Error('the first cell failed')
    const before = kernel.memory
    for (let count = 1; count <= messages; count++) {
      const kind = random(), frames = kind < 0.45 ? wellFormed() : kind < 0.8 ? damaged() : kind < 0.95 ? odd() : pick(sent) ?? damaged()
      if (kind < 0.45) sent = [...sent.slice(-20), frames]
      await client.sockets[pick(['shell', 'control', 'stdin'] as const)].send(frames)
      if (count % 500 && count !== messages) continue
      // A client that goes without a word, in the middle of what it asked.
      vanishing?.close()
      vanishing = new Dealer({ linger: 0 })
      vanishing.connect(kernel.address('shell'))
      await vanishing.send(wellFormed())
      if (kernel.process.exitCode !== null) throw new Error(`the kernel ended with ${kernel.process.exitCode}:\n${kernel.log}`)
      await client.ask('control', 'kernel_info_request')
      progress(count, (kernel.memory - before) / 1e6)
    }
    // Cells that were sent by chance end.
    await client.ask('shell', 'kernel_info_request')
    await sleep(300)
    const last = await client.run('witness + 1'), megabytes = (kernel.memory - before) / 1e6
    if (last.result !== '42') throw new Error(`a cell after all that gave ${JSON.stringify(last)}`)
    if (megabytes > 500) throw new Error(`the kernel grew by ${megabytes.toFixed()} MB`)
    return { sent: messages, megabytes }
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
  } finally {
    vanishing?.close()
    client.close()
    await kernel.close()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [messages = 100_000, seed = 1] = process.argv.slice(2).map(Number), begin = performance.now()
  const { sent, megabytes } = await fuzzWire(messages, seed, (count, grown) => { if (count % 10_000 === 0) console.log(`${count} messages, ${grown.toFixed()} MB more`) })
  console.log(`${sent} messages in ${((performance.now() - begin) / 1000).toFixed()} s; the kernel answers, keeps its variables and has grown by ${megabytes.toFixed()} MB`)
}
