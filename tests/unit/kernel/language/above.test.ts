import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configName } from '../../../../kernel/language/config.ts'
import { envName } from '../../../../kernel/language/modules.ts'
import { Overlay } from '../../../../kernel/language/overlay.ts'
import { LanguageServer } from '../../../../kernel/language/server.ts'

const above = mkdtempSync(join(tmpdir(), 'graft-above-')), folder = join(above, 'notebooks')
const server = new LanguageServer({ config: configName, entry: envName, idle: 60_000 })
after(() => {
  server.dispose()
  rmSync(above, { recursive: true })
})

test('a project above the notebook, which may be large, is not loaded', async () => {
  mkdirSync(folder)
  writeFileSync(join(above, 'tsconfig.json'), '{ "include": ["*.ts"] }')
  writeFileSync(join(above, 'large.ts'), 'export const onlyInTheProjectAbove = 1')
  await new Overlay(server, folder, [], true).diagnose(envName)
  assert.equal((await server.request<unknown[] | null>('workspace/symbol', { query: 'onlyInTheProjectAbove' }))?.length ?? 0, 0)
})
