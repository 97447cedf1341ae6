import { didYouMean, GraftError } from '../lib/error.ts'
import { install } from './install.ts'
import { runNotebook } from './run.ts'
import { writeScript } from './script.ts'
import { sweepNotebook } from './sweep.ts'

const usage = `graft run NOTEBOOK [-o OUT.ipynb] [-p name=value …]   execute a notebook, without Jupyter and without Python
graft sweep NOTEBOOK -p name=value,value … -o FOLDER [--task N | --status]   once with each combination of values
graft features MODEL IMAGES [--shard N --shards M]    what a frozen model gives for images, into the cache
graft script NOTEBOOK [-o OUT.ts]                     write it as a TypeScript program that Node runs
graft install [--prefix DIR | --sys-prefix]           register the kernel in this user's Jupyter, or in another
graft install --engine onnxruntime                    add ONNX Runtime to a project that has the npm package
graft install --engine webgpu                         add what trains on a graphics card to such a project`

interface Arguments {
  command: string
  file: string
  out?: string
  parameters: string[]
}

/**
 * The command line. Resolves to the exit code: 0 where every cell ran, 1 where one failed, 2 where the notebook or a
 * parameter cannot be used, 130 after Ctrl+C.
 */
export async function main(args: string[]): Promise<number> {
  if (!args.length || args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return args.length ? 0 : 2
  }
  try {
    if (args[0] === 'install') return await install(args.slice(1))
    if (args[0] === 'sweep') return await sweepNotebook(args.slice(1))
    if (args[0] === 'features') return await (await import('./features.ts')).cacheFeatures(args.slice(1))
    const { command, file, out, parameters } = parse(args)
    if (command === 'script') return writeScript(file, out)
    return await runNotebook(file, { out, parameters })
  } catch (error) {
    if (!(error instanceof GraftError)) throw error
    console.error(error.message)
    return 2
  }
}

function parse([command, ...rest]: string[]): Arguments {
  const commands = ['run', 'sweep', 'features', 'script', 'install']
  if (!commands.includes(command))
    throw new GraftError(`unknown command: '${command}'.${didYouMean(command, commands)}\n\n${usage}`)
  const found: Arguments = { command, file: '', parameters: [] }
  const value = (flag: string) => rest.shift() ?? fail(`${flag} needs a value.`)
  while (rest.length) {
    const word = rest.shift()!
    if (word === '-o' || word === '--output') found.out = value(word)
    else if (word === '-p' && command === 'run') found.parameters.push(value(word))
    else if (word.startsWith('-')) fail(`unknown option: '${word}'.`)
    else if (found.file) fail(`expected one notebook, received '${found.file}' and '${word}'.`)
    else found.file = word
  }
  return found.file ? found : fail('expected a notebook.')
}

function fail(what: string): never {
  throw new GraftError(`${what}\n\n${usage}`)
}
