// The tests' reporter: one line a file, each failure whole, and the counts for tests/run.js.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'

export default async function* reporter(source) {
  let passed = 0, failed = 0
  const skipped = []
  const files = new Map()
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') continue
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const file = data.file ? relative(process.cwd(), data.file) : ''
    const entry = files.get(file) ?? files.set(file, { passed: 0, failed: 0, skipped: 0, ms: 0 }).get(file)
    if (data.nesting === 0) entry.ms += data.details?.duration_ms ?? 0
    const suite = data.details?.type === 'suite'
    if (data.skip !== undefined) {
      skipped.push(`${file} ${data.name}: ${data.skip === true || data.skip === '' ? 'no reason given' : data.skip}`)
      entry.skipped++
    } else if (type === 'test:fail') {
      // A suite fails because of its tests, which are counted themselves.
      if (suite && data.details.error?.failureType === 'subtestsFailed') continue
      failed++
      entry.failed++
      const error = data.details?.error?.cause ?? data.details?.error
      yield `✗ ${file} › ${data.name}\n${indent(error?.stack ?? error?.message ?? String(error))}\n`
    } else if (!suite) {
      passed++
      entry.passed++
    }
  }
  for (const [file, { passed, failed, skipped, ms }] of [...files].sort()) {
    yield `${failed ? '✗' : '✓'} ${file}: ${passed} passed${failed ? `, ${failed} failed` : ''}${skipped ? `, ${skipped} skipped` : ''} (${(ms / 1000).toFixed(1)} s)\n`
  }
  if (process.env.GRAFT_TEST_COUNTS) writeFileSync(process.env.GRAFT_TEST_COUNTS, JSON.stringify({ passed, failed, skipped, files: Object.fromEntries(files) }))
}

const indent = text => String(text).split('\n').slice(0, 40).map(line => `    ${line}`).join('\n')
