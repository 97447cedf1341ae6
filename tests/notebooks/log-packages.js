// Preloaded into the processes of a test: writes down which packages of node_modules they load.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const seen = new Set()
registerHooks({
  load(url, context, next) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
    if (name && !seen.has(name)) appendFileSync(process.env.GRAFT_TEST_LOADED, `${name}\n`)
    seen.add(name)
    return next(url, context)
  },
})
