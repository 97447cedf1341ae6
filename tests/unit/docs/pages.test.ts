import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { docOf } from '../../../docs/api/doc.ts'
import { reference } from '../../../docs/api.ts'
import { errors, messagesOf } from '../../../docs/errors.ts'

const page = (name: string) => readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', name), 'utf8')

test('the reference is that of the doc comments, and each function in it has an example', () => {
  const text = reference()
  assert.ok(text === page('api.md'), 'docs/api.md is older than the doc comments: node docs/api.ts')
  const functions = text.split(/^### /m).slice(1).filter(part => /^\S+\n\n```typescript\n\S+[(<]/.test(part))
  assert.ok(functions.length > 40)
  assert.deepEqual(functions.filter(part => !part.includes('```ts\n')).map(part => part.split('\n')[0]), [], 'without an example')
})

test('the list of errors is that of the sources', () => {
  assert.ok(errors() === page('errors.md'), 'docs/errors.md is older than the sources: node docs/errors.ts')
})

test('troubleshooting leads to the messages of every area', () => {
  const anchor = (title: string) => `#${title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')}`
  const there = [...page('errors.md').matchAll(/^## (.+)$/gm)].map(([, title]) => anchor(title))
  const linked = [...page('troubleshooting.md').matchAll(/\(errors\.md(#[^)]+)\)/g)].map(([, link]) => link)
  assert.deepEqual([...new Set(linked)].sort(), there.sort())
})

test('a message is read as it will be seen', () => {
  const source = [
    "throw new GraftError('plain words here')", 'const e = new GraftError(`no ${a} of ` + `${b} there. Expected ${[1].join()}.`)',
    "fail(new SetupError(bad ? 'one reason alone' : 'two'))", "new Error('not of the library')", 'new GraftError(text)',
  ].join('\n')
  assert.deepEqual(messagesOf(source), ['plain words here', 'no … of … there. Expected ….', 'one reason alone'])
  assert.deepEqual(messagesOf(source, 'a.ts', ['Error']), ['plain words here', 'no … of … there. Expected ….', 'one reason alone', 'not of the library'])
})

test('a doc comment in its parts', () => {
  assert.deepEqual(docOf('/**\n * Does {@link x a thing}\n * with y.\n *\n * - a list\n *\n * @param a the\n *   first\n * @throws GraftError always\n * @returns all\n * @example\n * f(1)\n *   g()\n * @example\n * f(2)\n */'), {
    text: 'Does a thing with y.\n\n- a list', params: [['a', 'the first']], throws: ['GraftError always'], returns: 'all', examples: ['f(1)\n  g()', 'f(2)'],
  })
})
