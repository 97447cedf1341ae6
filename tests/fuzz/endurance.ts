// What a kernel has to stand for days, in minutes.
//
//     node tests/fuzz/endurance.ts restarts [1000]     starts, answers, ends as asked, and leaves no process behind
//     node tests/fuzz/endurance.ts cells [10000]       runs cells in one process, in bounded memory
//     node tests/fuzz/endurance.ts heartbeats [24]     the heartbeats of so many hours, one every three seconds, while cells run
//     node tests/fuzz/endurance.ts clients [200]       two that work, one that reads nothing, and so many that vanish
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Dealer, Subscriber } from 'zeromq'
import { descendants } from '../../kernel/descendants.ts'
import { Client, TestKernel } from './client.ts'

type Trial = (count: number) => Promise<string>

/** How much a kernel may grow in a trial, in bytes. */
const growth = 300e6

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed()} MB`

/** V8 lets garbage lie while there is room; with this little room it is what is held that counts. */
const littleRoom = '--max-old-space-size=100'

/** Works with a kernel and a client, and ends both. */
async function withKernel<T>(work: (kernel: TestKernel, client: Client) => Promise<T>, nodeOptions?: string): Promise<T> {
  const kernel = await TestKernel.start(nodeOptions), client = new Client(kernel)
  try {
    return await work(kernel, client)
  } catch (error) {
    throw new Error(`${(error as Error).message} (the kernel ${kernel.process.exitCode === null ? 'runs' : `ended with ${kernel.process.exitCode}`})\n${kernel.log}`, { cause: error })
  } finally {
    client.close()
    await kernel.close()
  }
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`expected ${what}`)
}

export const trials: Record<string, Trial> = {
  async restarts(count) {
    for (let each = 1; each <= count; each++) {
      await withKernel(async (kernel, client) => {
        const { result } = await client.run('20 + 1')
        expect(result === '21', `21 from start ${each}, received ${result}`)
        const started = descendants(kernel.process.pid!)
        await client.ask('control', 'shutdown_request', { restart: true })
        expect(await kernel.ended() === 0, `start ${each} to end with 0`)
        for (const pid of started) expect(await hasEnded(pid), `process ${pid} of start ${each} to have ended with its kernel`)
      })
    }
    return `${count} starts, each answered, ended with 0 and left no process`
  },

  cells: count => withKernel(async (kernel, client) => {
    const code = (i: number) => `const value${i % 50}: number = ${i}\nlet text${i % 50} = \`cell \${value${i % 50}}\`\nvalue${i % 50} * 2`
    await client.run(code(0))
    const times: number[] = []
    let before = 0
    for (let i = 1; i <= count; i++) {
      const begin = performance.now(), { result } = await client.run(code(i))
      times.push(performance.now() - begin)
      expect(result === String(i * 2), `${i * 2} from cell ${i}, received ${result}`)
      if (i === Math.min(500, Math.ceil(count / 2))) before = kernel.memory
    }
    const grown = kernel.memory - before
    expect(grown < growth, `less than ${megabytes(growth)} more memory after ${count} cells, received ${megabytes(grown)}`)
    const part = Math.max(1, Math.floor(count / 20)), median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]
    return `${count} cells, ${megabytes(grown)} more than after the first 500; the last ${part} took ${(median(times.slice(-part)) / median(times.slice(0, part))).toFixed(2)} × the first ${part}`
  }, littleRoom),

  heartbeats: hours => withKernel(async (kernel, client) => {
    const count = hours * 1200, busy = 'const until = Date.now() + 500; while (Date.now() < until) {}'
    await client.run('1')
    const before = kernel.memory
    let slowest = 0, cells = 0, isOver = false
    const working = (async () => { while (!isOver) { await client.run(busy); cells++ } })()
    for (let beat = 0; beat < count; beat++) {
      const begin = performance.now()
      await client.heart.send(`beat ${beat}`)
      const [echo] = await client.heart.receive()
      expect(String(echo) === `beat ${beat}`, `the echo of beat ${beat}, received ${String(echo)}`)
      slowest = Math.max(slowest, performance.now() - begin)
    }
    isOver = true
    await working
    const grown = kernel.memory - before
    expect(grown < growth, `less than ${megabytes(growth)} more memory, received ${megabytes(grown)}`)
    return `${count} heartbeats beside ${cells} busy cells, the slowest in ${slowest.toFixed()} ms, ${megabytes(grown)} more`
  }),

  clients: count => withKernel(async (kernel, client) => {
    const other = new Client(kernel), slow = new Subscriber({ linger: 0, receiveHighWaterMark: 1 })
    // It subscribes and never reads.
    slow.connect(kernel.address('iopub'))
    slow.subscribe()
    await client.run('let shared = 0')
    for (let each = 0; each < count; each++) {
      const gone = new Dealer({ linger: 0 })
      gone.connect(kernel.address(each % 2 ? 'shell' : 'control'))
      await gone.send(client.wire.pack({ type: each % 3 ? 'kernel_info_request' : 'complete_request', content: { code: 'Math.f', cursor_pos: 6 } }).frames)
      gone.close()
    }
    const rounds = 20, both = [client, other].map(async (each, number) => {
      for (let round = 0; round < rounds; round++) {
        const { result, text } = await each.run(`shared += 1; console.log('client ${number}, round ${round}'); ${number * 1000 + round}`)
        expect(result === String(number * 1000 + round) && text === `client ${number}, round ${round}\n`, `client ${number} to hear its own cell, received ${result}, ${text}`)
      }
    })
    await Promise.all(both)
    expect((await client.run('shared')).result === String(2 * rounds), 'both clients to have run all their cells')
    const { text } = await client.run('for (let i = 0; i < 20_000; i++) console.log(`line ${i}`)')
    expect(text.trimEnd().split('\n').length === 20_000, 'all lines to reach whoever reads, while another does not')
    slow.close()
    other.close()
    return `${count} clients vanished; two shared the kernel, and both heard all that was theirs beside one that read nothing`
  }),
}

/** Whether a process ends within five seconds. */
async function hasEnded(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 5000; waited += 20) {
    // An ended process is listed until whoever has to has taken note of it.
    if (!existsSync(`/proc/${pid}`) || / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''))) return true
    await sleep(20)
  }
  return false
}

const usual: Record<string, number> = { restarts: 1000, cells: 10_000, heartbeats: 24, clients: 200 }

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [name, count] = process.argv.slice(2)
  const chosen = name ? [name] : Object.keys(trials)
  for (const each of chosen) {
    if (!Object.hasOwn(trials, each)) throw new Error(`expected one of ${Object.keys(trials).join(', ')}, received '${each}'`)
    const begin = performance.now(), result = await trials[each](Number(count ?? usual[each]))
    console.log(`${each}: ${result} (${((performance.now() - begin) / 1000).toFixed()} s)`)
  }
}
