/** What packages ask for and nothing here ever loads, by who asks: it is removed after npm has brought it. A test sees that the list is true. */
export const unloaded = {
  // Polyfills for old browsers, and a command that makes bundles for them.
  '@tensorflow/tfjs': ['argparse', 'chalk', 'core-js', 'regenerator-runtime', 'yargs'],
  // Node has had `fetch` and decodes text itself.
  '@tensorflow/tfjs-core': ['node-fetch'],
  '@tensorflow/tfjs-data': ['@types/node-fetch', 'node-fetch', 'string_decoder'],
  // What its install script would fetch with; install scripts are off.
  'onnxruntime-node': ['adm-zip', 'global-agent'],
  // For compiling addons, which come compiled; of the second the library inside is called, not the addon.
  zeromq: ['node-addon-api'],
  '@julusian/jpeg-turbo': ['cmake-js', 'node-addon-api', 'pkg-prebuilds'],
  // Its one file for workers holds them.
  linkedom: ['css-select', 'cssomnom', 'html-escaper', 'htmlparser2', 'uhyphen'],
  // Its command line.
  'd3-dsv': ['commander', 'iconv-lite', 'rw'],
  // The same in Bare, another runtime of JavaScript.
  'tar-stream': ['bare-fs'],
  'events-universal': ['bare-events'],
}

/**
 * The folders (`node_modules/…`) of the packages that only what is `unloaded` asks for, from a lock file's `packages`. Packages of
 * other platforms, which npm has not brought, are not among them.
 *
 * @param {Record<string, any>} packages
 * @param {Record<string, string[]>} cut
 */
export function packagesOnlyFor(packages, cut = unloaded) {
  const reached = new Set()
  const visit = path => {
    if (reached.has(path)) return
    reached.add(path)
    const { dependencies, optionalDependencies, peerDependencies, devDependencies } = packages[path]
    const not = cut[path.split('node_modules/').pop()] ?? []
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies, ...devDependencies })) {
      const found = not.includes(name) ? undefined : resolved(packages, path, name)
      if (found !== undefined) visit(found)
    }
  }
  visit('')
  return Object.keys(packages).filter(path => !reached.has(path))
}

/** Where Node finds `name` from a package's folder: in its own node_modules, or in one further up. */
function resolved(packages, path, name) {
  for (let at = path; ; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '') {
    const place = `${at ? `${at}/` : ''}node_modules/${name}`
    if (packages[place]) return place
    if (!at) return undefined
  }
}
