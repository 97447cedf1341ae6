import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { findPython } from './python.js'
import { kernelJson } from './kernelspec.js'
import { isNewEnough, kernelNode } from './node.js'
import { pythonOf, root, venv } from './place.js'
import { run } from './say.js'

/**
 * Looks at each part of the set-up and prints one line for it: `✓`, or `✗` with what to do.
 * Resolves to the number of broken parts.
 */
export async function doctor() {
  let broken = 0
  for (const [title, look] of checks) {
    let line
    try {
      line = `  ✓ ${title}: ${await look()}`
    } catch (error) {
      broken++
      line = `  ✗ ${title}: ${word(error)}`
    }
    console.log(line)
  }
  console.log(broken ? `\n${broken} of ${checks.length} need attention.` : '\nAll is well.')
  return broken
}

/**
 * Follows a hub handle hop by hop and prints each: address, answer, credentials seen, what to try (lib/hub/diagnose.ts).
 * Resolves to the number of steps that failed.
 */
export async function doctorOf(handle) {
  const node = kernelNode()
  if (!existsSync(node)) {
    console.log(`  ✗ Node: this is ${process.versions.node}, a handle is followed by 22.18 or newer; node install.js brings one`)
    return 1
  }
  const script = `
    const [{ diagnose }, { installHost, host }] = await Promise.all([import('./lib/hub/diagnose.ts'), import('./lib/host.ts')])
    installHost({ ...host(), display() {}, update() {} })
    let broken = 0, last = true
    for await (const { good, title, text } of diagnose(process.argv[1])) {
      console.log(\`  \${good === null ? '·' : good ? '✓' : '✗'} \${title}: \${text}\`)
      if (good === false) broken++
      if (good !== null) last = good
    }
    console.log(last ? broken ? '\\nIt can be had, by another way.' : '\\nAll is well.' : '\\nhub.load cannot open it like this.')
    process.exitCode = last ? 0 : 1`
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script, '--', handle], { cwd: root, stdio: 'inherit' })
  return await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
}

/** What went wrong in one line: the error a command printed, without its stack, and what to do. */
function word({ message }) {
  const said = /^ {4}\S*Error(?: \[\w+\])?: (.*)$/m.exec(message)?.[1]
  return said ? `${said}; ${message.trim().split('\n').pop()}` : message.trim().replaceAll('\n', ' ')
}

const mends = { hint: 'node install.js mends it' }

const checks = [
  ['Node', async () => {
    const node = kernelNode()
    if (!existsSync(node)) throw new Error(`this is ${process.versions.node}, the kernel needs 22.18 or newer; node install.js brings one`)
    const version = (await run(node, ['--version'])).trim().slice(1)
    if (!isNewEnough(version)) throw new Error(`${node} is ${version}, the kernel needs 22.18 or newer; node install.js brings one`)
    return `${version} (${node})`
  }],
  ['npm packages', async () => {
    const script = 'await import("zeromq"); await import("oxc-transform"); await import("sharp"); await import("onnxruntime-node"); await import("@resvg/resvg-js")'
    await run(kernelNode(), ['--input-type=module', '-e', script], { cwd: root, ...mends })
    return 'native parts load'
  }],
  ['Python', async () => (await findPython()).version],
  ['JupyterLab', async () => {
    if (!existsSync(pythonOf(venv))) throw new Error('no .venv; node install.js makes it')
    return (await run(pythonOf(venv), ['-c', 'import jupyterlab; print(jupyterlab.__version__)'], mends)).trim()
  }],
  ['Kernel', async () => {
    const file = join(venv, 'share', 'jupyter', 'kernels', 'graft', 'kernel.json')
    if (!existsSync(file)) throw new Error('not registered; node install.js registers it')
    const wrong = JSON.parse(readFileSync(file, 'utf8')).argv.filter((part, i) => i < 2 && part !== kernelJson().argv[i])
    if (wrong.length) throw new Error(`registered with ${wrong.join(' and ')}, from another place or Node; node install.js registers it anew`)
    return (await run(pythonOf(venv), ['-c', greet], { hint: 'the kernel did not answer; run again, then see .graft/install.log' })).trim().split('\n').pop()
  }],
  ['Engine', async () => (await run(kernelNode(), ['--disable-warning=ExperimentalWarning', '-e', engineScript], { cwd: root, ...mends })).trim()],
  ['Disk', async () => {
    const { bavail, bsize } = statfsSync(root)
    const free = bavail * bsize / 1e9
    if (free < 1) throw new Error(`${free.toFixed(1)} GB free; models and notebooks want 1 GB`)
    return `${free.toFixed(0)} GB free`
  }],
]

const greet = `
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name='graft', startup_timeout=60)
try:
    heard = []
    client.execute_interactive('6 * 7', timeout=60, output_hook=lambda m: heard.append(m['content'].get('data', {}).get('text/plain')))
    assert '42' in heard, heard
    print('starts and computes')
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
`

const engineScript = "import('./lib/index.ts').then(({ engine }) => console.log(engine()))"
