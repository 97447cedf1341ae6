#!/usr/bin/env node
// `graft run NOTEBOOK`, `graft script NOTEBOOK`: notebooks without Jupyter and without Python. In plain JavaScript, so that an old Node is told
// what it lacks instead of failing at the first type.
import { enableCompileCache } from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`graft needs Node ≥ 22.18, this is ${process.versions.node}. In a clone, node install.js brings one: .graft/node/bin/node cli/graft.js`)
  process.exit(2)
}
enableCompileCache()
const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
  if ((warning?.name ?? type) !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
}
process.exitCode = await (await import('./main.ts')).main(process.argv.slice(2))
