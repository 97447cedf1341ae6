// What install.js does. Plain JavaScript for any Node ≥ 18.15, and no dependency.
import { join, relative } from 'node:path'
import { makeBundle } from './bundle.js'
import { checkAll, missing, sizesOf } from './checks.js'
import { doctor, doctorOf } from './doctor.js'
import { checkEngine, engines } from './engine.js'
import { dataFolder, register, widgetHint } from './kernelspec.js'
import { bringNode, kernelNode } from './node.js'
import { executeNotebook, openLab } from './notebook.js'
import { installPackages } from './packages.js'
import { root } from './place.js'
import { makeVenv } from './python.js'
import { SetupError, step } from './say.js'
import { uninstall } from './uninstall.js'

const usage = `node install.js                          set up: packages, .venv with JupyterLab, the kernel "TypeScript (Graft)"
node install.js --run NOTEBOOK [-o OUT]  … and execute a notebook; -p name=value sets a parameter
node install.js --lab                    … and open JupyterLab on notebooks/
node install.js --user                   register the kernel for this user's own Jupyter instead
node install.js --prefix DIR             … in DIR/share/jupyter
node install.js --sys-prefix             … in the Jupyter that \`jupyter\` on the PATH belongs to
node install.js --no-jupyter             only what \`node cli/graft.js run\` needs: no Python
node install.js --engine tensorflow      … and TensorFlow's own library to train with (≈ 260 MB to download, 0.9 GB on disk)
node install.js --engine webgpu          … and what trains on a graphics card: NVIDIA, AMD, Intel or Apple (≈ 55 MB to download, 25 MB on disk)
node install.js --bundle FOLDER          a copy of all of it for machines without network; --model HANDLE adds a model, FOLDER.tar.gz packs it
node install.js --doctor                 look at each part and say what to do
node install.js --doctor HANDLE          follow a hub handle hop by hop: addresses, answers, credentials seen, what to try
node install.js --uninstall              remove .venv, node_modules, .graft, caches and the kernel; --runs removes training runs too`

function parse(args) {
  const options = { parameters: [], models: [], rest: [] }
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
    else if (arg === '--bundle') options.bundle = value(arg)
    else if (arg === '--model') options.models.push(value(arg))
    else if (arg === '--sys-prefix') options.sysPrefix = true
    else if (arg === '--no-jupyter') options.noJupyter = true
    else if (arg === '--doctor') Object.assign(options, { doctor: true, handle: args[0]?.startsWith('-') ? undefined : args.shift() })
    else if (['--lab', '--user', '--uninstall', '--runs', '--dev', '--help'].includes(arg)) options[arg.slice(2)] = true
    else if (arg === '-h') options.help = true
    else if (options.lab) options.rest.push(arg)
    else throw new SetupError(`unknown option: '${arg}'.\n\n${usage}`)
  }
  if (options.noJupyter && (options.run || options.lab))
    throw new SetupError(`--no-jupyter leaves out what ${options.run ? `--run needs. Then: node cli/graft.js run ${options.run}` : '--lab opens.'}`)
  return options
}

/** Whether the kernel is for a Jupyter that is there already. */
const isForOther = options => Boolean(options.user || options.prefix || options.sysPrefix)

async function setUp(options) {
  if (options.engine !== undefined) checkEngine(options.engine)
  const elsewhere = isForOther(options)
  const jupyter = !options.noJupyter && Boolean(!elsewhere || options.run || options.lab)
  const parts = missing({ jupyter, engine: options.engine, dev: options.dev })
  console.log(`Setting up Graft${parts.length ? `: ${sizesOf(parts)}` : ''}`)
  if (parts.length) await step('This machine', () => checkAll(parts))
  await step('Node', bringNode)
  await step('npm packages', () => installPackages({ dev: options.dev }))
  if (jupyter) await step('Python and JupyterLab', makeVenv)
  if (options.engine) await step(engines[options.engine].title, engines[options.engine].install)
  if (!jupyter && !elsewhere) return
  await step('Kernel', async () => {
    if (jupyter) register(await dataFolder())
    if (!elsewhere) return '"TypeScript (Graft)" in .venv'
    const share = await dataFolder(options)
    return register(share) + widgetHint(share)
  })
}

/** How a Node is called: the clone's own by its path, for there may be no other. */
const named = node => node.startsWith(root) ? relative('', node) : 'node'

async function main() {
  const options = parse(process.argv.slice(2))
  if (options.help) return console.log(usage)
  if (options.doctor) return process.exitCode = await (options.handle === undefined ? doctor() : doctorOf(options.handle)) ? 1 : 0
  if (options.uninstall) return uninstall(options)
  await setUp(options)
  if (options.bundle) await makeBundle(options.bundle, options)
  else if (options.run) process.exitCode = await executeNotebook(options.run, options.out, options.parameters)
  else if (options.lab) process.exitCode = await openLab(options.rest)
  else if (options.noJupyter) console.log(`\nNext:  ${named(kernelNode())} cli/graft.js run notebooks/1-feature-extraction.ipynb`)
  else if (isForOther(options)) console.log(`\nNext:  open ${join(root, 'notebooks')} in that Jupyter and choose the kernel "TypeScript (Graft)"`)
  else console.log(`\nNext:  ${named(process.execPath)} install.js --lab    or    ${named(process.execPath)} install.js --run notebooks/1-feature-extraction.ipynb`)
}

main().catch(error => {
  console.error(error instanceof SetupError ? `\n${error.message}` : error)
  process.exitCode = 1
})
