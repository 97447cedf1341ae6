import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './place.js'

const module = 'graft_papermill.py'
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const described = `graft_papermill-${version}.dist-info`

/** What pip would have written for a package of one module with an entry point (Python packaging: "Recording installed projects"). */
const description = {
  METADATA: `Metadata-Version: 2.1\nName: graft-papermill\nVersion: ${version}\nSummary: TypeScript parameters for papermill\n`,
  INSTALLER: 'graft\n',
  'entry_points.txt': '[papermill.engine]\ngraft = graft_papermill:engine\n',
}

/** The folders for packages of the Python whose prefix this is. */
function sitesIn(prefix) {
  const lib = join(prefix, 'lib')
  const unix = existsSync(lib) ? readdirSync(lib).filter(name => name.startsWith('python')).map(name => join(lib, name, 'site-packages')) : []
  return [...unix, join(prefix, 'Lib', 'site-packages')].filter(site => existsSync(site))
}

/**
 * Lets papermill set parameters of this kernel's notebooks: puts one small Python module beside it, as an installed package that pip
 * can remove. `onlyBeside` leaves Pythons alone that have no papermill. Returns whether it was put anywhere.
 */
export function putTranslator(prefix, { onlyBeside = false } = {}) {
  const sites = sitesIn(prefix).filter(site => !onlyBeside || existsSync(join(site, 'papermill')))
  for (const site of sites) {
    cpSync(join(root, 'install', 'papermill', module), join(site, module))
    mkdirSync(join(site, described), { recursive: true })
    for (const [name, text] of Object.entries(description)) writeFileSync(join(site, described, name), text)
    const files = [module, ...[...Object.keys(description), 'RECORD'].map(name => `${described}/${name}`)]
    writeFileSync(join(site, described, 'RECORD'), files.map(name => `${name},,\n`).join(''))
  }
  return sites.length > 0
}

/** Takes the module away again. */
export function removeTranslator(prefix) {
  for (const site of sitesIn(prefix)) {
    const own = readdirSync(site).filter(name => name === module || /^graft_papermill-.*\.dist-info$/.test(name))
    for (const name of own) rmSync(join(site, name), { recursive: true })
    removeCompiled(join(site, '__pycache__'))
  }
}

/** What Python compiled of the module, and the folder where nothing else is in it. */
function removeCompiled(folder) {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) if (name.startsWith('graft_papermill.')) rmSync(join(folder, name))
  if (!readdirSync(folder).length) rmdirSync(folder)
}
