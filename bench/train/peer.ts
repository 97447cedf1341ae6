import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Answer } from './graft.ts'

/** A Python process that answers one request after the other. */
export interface Peer {
  version: string
  ask(request: object): Promise<Answer>
  end(): void
}

/** Starts one of the scripts beside this file. @throws where it does not start, with what it said */
export async function peerOf(python: string, script: string): Promise<Peer> {
  const child = spawn(python, [fileURLToPath(new URL(script, import.meta.url))], { stdio: 'pipe' })
  let complaint = ''
  child.stderr.on('data', text => { complaint = (complaint + text).slice(-2000) })
  child.on('error', error => { complaint = error.message })
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const answer = async () => {
    const { value } = await answers.next()
    if (value === undefined) throw new Error(`${python} ${script} ended:\n${complaint}`)
    return JSON.parse(value)
  }
  const { version } = await answer()
  return {
    version,
    ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return answer()
    },
    end: () => child.stdin.end(),
  }
}
