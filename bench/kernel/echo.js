// A kernel that computes nothing: it answers every cell at once, and prints 20,000 lines where a cell asks for them. It measures the client.
import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Publisher, Reply, Router } from 'zeromq'

const connection = JSON.parse(readFileSync(process.argv[2], 'utf8')), session = randomUUID()
const sockets = { shell: new Router(), control: new Router(), stdin: new Router(), iopub: new Publisher({ sendHighWaterMark: 0 }), hb: new Reply() }
const lines = Array.from({ length: 20000 }, (_, i) => `${i}\n`).join('')
let count = 0, cells = 0

for (const [channel, socket] of Object.entries(sockets)) await socket.bind(`tcp://${connection.ip}:${connection[`${channel}_port`]}`)
void serve(sockets.shell)
void serve(sockets.control)

function pack(identities, type, parent, content) {
  const header = { msg_id: `${session}_${count++}`, session, username: 'echo', date: new Date().toISOString(), msg_type: type, version: '5.3' }
  const parts = [header, parent, {}, content].map(part => JSON.stringify(part)), hmac = createHmac('sha256', connection.key)
  for (const part of parts) hmac.update(part)
  return [...identities, '<IDS|MSG>', hmac.digest('hex'), ...parts]
}

async function serve(socket) {
  for await (const frames of socket) {
    const start = frames.findIndex(frame => frame.toString() === '<IDS|MSG>')
    const header = JSON.parse(frames[start + 2]), { code } = JSON.parse(frames[start + 5])
    const publish = (type, content) => sockets.iopub.send(pack([type], type, header, content))
    await publish('status', { execution_state: 'busy' })
    if (header.msg_type === 'execute_request') {
      await publish('execute_input', { code, execution_count: ++cells })
      if (code.includes('console.log')) await publish('stream', { name: 'stdout', text: lines })
      else if (!code.startsWith('const')) await publish('execute_result', { execution_count: cells, data: { 'text/plain': '2' }, metadata: {} })
    }
    await socket.send(pack(frames.slice(0, start), header.msg_type.replace('request', 'reply'), header, { status: 'ok', execution_count: cells }))
    await publish('status', { execution_state: 'idle' })
  }
}
