// What the debugger costs a cell: node bench/kernel/debugger.ts [ROUNDS]. Kernels in turns: one that was never asked for it, one where it is on, and
// one where it was on and is off again. A small cell, typed; and a loop, whose names the debugger has to be able to look at.
import { setTimeout as wait } from 'node:timers/promises'
import { Client, TestKernel } from '../../tests/fuzz/client.ts'

const rounds = Number(process.argv[2] ?? 5), cells = 200
const small = (i: number) => `const small${i % 20}: number = ${i}\nsmall${i % 20} + 1`
const loop = 'let sum = 0\nfor (let i = 0; i < 20_000_000; i++) sum += i % 7\nsum'
const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]

let asked = 0
const debug = (client: Client, command: string) => client.ask('control', 'debug_request', { type: 'request', seq: ++asked, command, arguments: {} })
const ways: Record<string, (client: Client) => Promise<void>> = {
  'never on': async () => {},
  'on and off again': async client => { for (const command of ['initialize', 'attach', 'disconnect']) await debug(client, command) },
  on: async client => { for (const command of ['initialize', 'attach']) await debug(client, command) },
}

const found = Object.fromEntries(Object.keys(ways).map(name => [name, { small: [] as number[], loop: [] as number[], memory: [] as number[] }]))
for (let round = 0; round < rounds; round++) {
  for (const [name, prepare] of Object.entries(ways)) {
    const kernel = await TestKernel.start(), client = new Client(kernel)
    const time = async (code: string) => {
      const begin = performance.now()
      await client.run(code)
      return performance.now() - begin
    }
    for (let i = 0; i < 20; i++) await client.run(small(i))
    await prepare(client)
    await wait(500)
    const times: number[] = []
    for (let i = 0; i < cells; i++) times.push(await time(small(i)))
    found[name].small.push(median(times))
    await client.run(loop)
    found[name].loop.push(await time(loop))
    found[name].memory.push(kernel.memory / 1e6)
    client.close()
    await kernel.close()
  }
}
const { 'never on': base } = found
for (const [name, { small, loop, memory }] of Object.entries(found)) {
  const ratio = (own: number[], of: number[]) => (median(own) / median(of)).toFixed(2)
  console.log(`${name}: small cell ${median(small).toFixed(2)} ms (${ratio(small, base.small)} ×), loop ${median(loop).toFixed(0)} ms (${ratio(loop, base.loop)} ×), ` +
    `kernel ${median(memory).toFixed(0)} MB (${ratio(memory, base.memory)} ×)`)
}
