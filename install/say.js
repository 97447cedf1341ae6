import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** An error whose message tells the user what to do; shown without a stack. */
export class SetupError extends Error {}

/**
 * Runs one step and prints how it went: `✓ Packages (12 s)`.
 * `work` returns a word for the line's end, e.g. `already there`; so does this.
 */
export async function step(title, work) {
  const start = Date.now()
  const live = process.stdout.isTTY
  if (live) process.stdout.write(`  … ${title}`)
  const timer = live && setInterval(() => process.stdout.write(`\r  … ${title} (${seconds(start)})`), 1000)
  try {
    const word = await work()
    end(`  ✓ ${title}${word ? `: ${word}` : ''} (${seconds(start)})`)
    return word
  } catch (error) {
    end(`  ✗ ${title}`)
    throw error
  }
  function end(line) {
    if (timer) clearInterval(timer)
    console.log(live ? `\r\x1b[K${line}` : line)
  }
}

const seconds = start => `${((Date.now() - start) / 1000).toFixed(1)} s`

/**
 * Runs a command quietly; its output goes to `log`, and its last lines into the error if it fails.
 * `hint` says what to do then, or is a function that reads it from the output.
 */
export function run(command, args, { log, hint, ...options } = {}) {
  const wayOut = output => {
    const text = typeof hint === 'function' ? hint(output) : hint
    return text ? `\n${text}` : ''
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: command.endsWith('.cmd'), ...options })
    let output = ''
    const take = chunk => {
      output = (output + chunk).slice(-100_000)
      if (log) { mkdirSync(dirname(log), { recursive: true }); appendFileSync(log, chunk) }
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.on('error', error => reject(new SetupError(`could not start ${command}: ${error.message}.${wayOut('')}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const tail = output.trim().split('\n').slice(-15).map(line => `    ${line}`).join('\n')
      reject(new SetupError(`${[command, ...args].join(' ')}\nended with ${signal ?? `exit code ${code}`}:\n${tail}${wayOut(output)}`))
    })
  })
}
