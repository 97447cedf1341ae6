import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Language } from '../../../../kernel/language/language.ts'

test('the language server never runs npm to look for types', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-npm-')), called = join(folder, 'called'), before = { ...process.env }
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\ntouch '${called}'\n`)
  chmodSync(join(folder, 'npm'), 0o755)
  // Types that were downloaded before would make another download needless.
  Object.assign(process.env, { PATH: `${folder}${delimiter}${before.PATH}`, XDG_CACHE_HOME: folder, HOME: folder })
  const language = new Language({ folder })
  try {
    const answer = await language.complete("import yazl from 'yazl'\nyazl.", 29)
    assert.ok(answer)
    await wait(1500)
    assert.equal(existsSync(called), false, 'npm was run')
  } finally {
    language.dispose()
    process.env = before
    rmSync(folder, { recursive: true, force: true })
  }
})
