#!/usr/bin/env node
// Sets up everything Graft needs, inside this folder: Node, npm packages, a .venv with JupyterLab, the kernel. Plain JavaScript for any Node ≥ 18.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { doctor, doctorOf } from './install/doctor.js'
import { checkEngine, installEngine } from './install/engine.js'
import { dataFolder, register, unregister, userDataFolder, widgetHint } from './install/kernelspec.js'
import { bringNode } from './install/node.js'
import { executeNotebook, openLab } from './install/notebook.js'
import { installPackages } from './install/packages.js'
import { root, stateFolder, venv } from './install/place.js'
import { makeVenv } from './install/python.js'
import { SetupError, step } from './install/say.js'

const usage = `node install.js                          set up: packages, .venv with JupyterLab, the kernel "TypeScript (Graft)"
node install.js --run NOTEBOOK [-o OUT]  … and execute a notebook; -p name=value sets a parameter
node install.js --lab                    … and open JupyterLab on notebooks/
node install.js --user                   register the kernel for this user's own Jupyter instead
node install.js --prefix DIR             … in DIR/share/jupyter
node install.js --sys-prefix             … in the Jupyter that \`jupyter\` on the PATH belongs to
node install.js --engine tensorflow      … and TensorFlow's own library to train with (≈ 260 MB to download, 0.9 GB on disk)
node install.js --doctor                 look at each part and say what to do
node install.js --doctor HANDLE          follow a hub handle hop by hop: addresses, answers, credentials seen, what to try
node install.js --uninstall              remove .venv, node_modules, .graft and the kernel`

function parse(args) {
  const options = { parameters: [], rest: [] }
  const value = flag => {
    const next = args.shift()
    if (next === undefined) throw new SetupError(`${flag} needs a value.\n\n${usage}`)
    return next
  }
  args = [...args]
  while (args.length) {
    const arg = args.shift()
    if (arg === '--run') options.run = value(arg)
    else if (arg === '-o' || arg === '--output') options.out = value(arg)
    else if (arg === '-p') options.parameters.push(value(arg))
    else if (arg === '--engine') options.engine = value(arg)
    else if (arg === '--prefix') options.prefix = value(arg)
    else if (arg === '--sys-prefix') options.sysPrefix = true
    else if (arg === '--doctor') Object.assign(options, { doctor: true, handle: args[0]?.startsWith('-') ? undefined : args.shift() })
    else if (['--lab', '--user', '--uninstall', '--dev', '--help'].includes(arg)) options[arg.slice(2)] = true
    else if (arg === '-h') options.help = true
    else if (options.lab) options.rest.push(arg)
    else throw new SetupError(`unknown option: '${arg}'.\n\n${usage}`)
  }
  return options
}

async function setUp(options) {
  if (options.engine !== undefined) checkEngine(options.engine)
  const elsewhere = options.user || options.prefix || options.sysPrefix
  console.log('Setting up Graft (npm packages ≈ 170 MB to download' + (elsewhere ? ')' : ', JupyterLab ≈ 60 MB; once)'))
  await step('Node', bringNode)
  await step('npm packages', () => installPackages({ dev: options.dev }))
  if (!elsewhere || options.run || options.lab) await step('Python and JupyterLab', makeVenv)
  if (options.engine) await step('TensorFlow (≈ 260 MB to download)', () => installEngine())
  await step('Kernel', async () => {
    if (!elsewhere || options.run || options.lab) register(await dataFolder())
    if (!elsewhere) return '"TypeScript (Graft)" in .venv'
    const share = await dataFolder(options)
    return register(share) + widgetHint(share)
  })
}

async function uninstall(options) {
  const folders = [userDataFolder(), ...(options.prefix || options.sysPrefix ? [await dataFolder(options)] : [])]
  for (const share of folders) if (unregister(share)) console.log(`  ✓ kernel removed from ${share}`)
  for (const folder of [venv, join(root, 'node_modules'), stateFolder]) rmSync(folder, { recursive: true, force: true })
  console.log('  ✓ .venv, node_modules and .graft removed. Notebooks and saved models are untouched.')
}

async function main() {
  const options = parse(process.argv.slice(2))
  if (options.help) return console.log(usage)
  if (options.doctor) return process.exitCode = await (options.handle === undefined ? doctor() : doctorOf(options.handle)) ? 1 : 0
  if (options.uninstall) return uninstall(options)
  await setUp(options)
  if (options.run) process.exitCode = await executeNotebook(options.run, options.out, options.parameters)
  else if (options.lab) process.exitCode = await openLab(options.rest)
  else console.log('\nNext:  node install.js --lab    or    node install.js --run notebooks/1-feature-extraction.ipynb')
}

main().catch(error => {
  console.error(error instanceof SetupError ? `\n${error.message}` : error)
  process.exitCode = 1
})
