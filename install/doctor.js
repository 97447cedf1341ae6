import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { bundle } from './bundled.js'
import { checkDisk, checkFolder, checkHome, checkNpm, checkPython, checkRegistry, missing } from './checks.js'
import { kernelJson, leadsTo, registeredIn, userDataFolder } from './kernelspec.js'
import { checkNode, isNewEnough, kernelNode } from './node.js'
import { packagesAreThere } from './packages.js'
import { pythonOf, root, venv } from './place.js'
import { venvIsThere } from './python.js'
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
    if (!existsSync(node)) {
      checkNode()
      throw new Error(`this is ${process.versions.node}, the kernel needs 22.18 or newer; node install.js brings one`)
    }
    const version = (await run(node, ['--version'])).trim().slice(1)
    if (!isNewEnough(version)) throw new Error(`${node} is ${version}, the kernel needs 22.18 or newer; node install.js brings one`)
    return `${version} (${node})`
  }],
  ['npm packages', async () => {
    if (!existsSync(join(root, 'node_modules'))) throw new Error('not there; node install.js brings them')
    if (!packagesAreThere()) throw new Error('not whole: a set-up was cut off, or the lock file is newer; node install.js goes on where it stopped')
    const script = 'await import("zeromq"); await import("oxc-transform"); await import("sharp"); await import("onnxruntime-node"); await import("@resvg/resvg-js")'
    await run(kernelNode(), ['--input-type=module', '-e', script], { cwd: root, ...mends })
    return 'native parts load'
  }],
  ['Python', checkPython],
  ['JupyterLab', async () => {
    if (!existsSync(pythonOf(venv))) throw new Error('no .venv; node install.js makes it')
    const home = /^command = .* -m venv (?:--\S+ )*(.*)$/m.exec(readFileSync(join(venv, 'pyvenv.cfg'), 'utf8'))?.[1]
    if (home && resolve(home) !== venv) throw new Error(`.venv was made in ${home}: this clone was moved; node install.js makes it anew`)
    if (!venvIsThere()) throw new Error('.venv is not whole: a set-up was cut off, or its pins are newer; node install.js makes it anew')
    return (await run(pythonOf(venv), ['-c', 'import jupyterlab; print(jupyterlab.__version__)'], mends)).trim()
  }],
  ['Kernel', async () => {
    const found = leadsTo(join(venv, 'share', 'jupyter'))
    if (!found) throw new Error('not registered; node install.js registers it')
    const [node, main] = kernelJson().argv
    const wrong = [found.node !== node && found.node, found.main !== main && found.main].filter(Boolean)
    if (wrong.length) throw new Error(`registered with ${wrong.join(' and ')}, from another place or Node; node install.js registers it anew`)
    return (await run(pythonOf(venv), ['-c', greet], { hint: 'the kernel did not answer; run again, then see .graft/install.log' })).trim().split('\n').pop()
  }],
  ['Other Jupyters', () => {
    const others = registeredIn().filter(share => share !== join(venv, 'share', 'jupyter')), found = others.map(share => ({ share, ...leadsTo(share) })).filter(({ main }) => main)
    for (const { share, node, main } of found) {
      const gone = [node, main].find(path => !existsSync(path))
      if (gone) throw new Error(`${join(share, 'kernels', 'graft')} starts ${gone}, which is not there any more; node install.js ${share === userDataFolder() ? '--user' : `--prefix ${dirname(dirname(share))}`} leads it here`)
    }
    return found.length ? found.map(({ share }) => share).join(', ') : 'none has this kernel; node install.js --user registers it'
  }],
  ['Engine', async () => {
    if (!packagesAreThere()) throw new Error('needs the npm packages')
    return (await run(kernelNode(), ['--disable-warning=ExperimentalWarning', '-e', engineScript], { cwd: root, ...mends })).trim()
  }],
  ['Home', checkHome],
  ['Folder', checkFolder],
  ['Disk', () => checkDisk(missing({ jupyter: true }))],
  ['npm', () => nothingToBring() || checkNpm()],
  ['Registry', () => nothingToBring() || checkRegistry()],
]

/** Why neither npm nor a registry is needed, or false. */
const nothingToBring = () => bundle() ? 'not needed: this is a bundle' : !missing({ jupyter: true }).length && 'not needed: all is here'

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
