// Writes the reference of the public names out of their doc comments: node docs/api.ts
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { docOf, type Doc } from './api/doc.ts'
import { Declarations, type Declared } from './api/declarations.ts'

const root = join(import.meta.dirname, '..')
/** What the reference begins with: names that its examples use. They are executed, after this. */
const before = `const base = await hub.load('models/mobilenet_v2_letters_feature_vector')
const photos = await data.images('images/digits', { size: base, validation: 0.2 })
const digits = photos
const model = customize.extract(base, { classes: photos.classes })`

/** The declarations of the library, as the package has them. */
function emit(): string {
  const folder = mkdtempSync(join(tmpdir(), 'graft-api-'))
  const compilerOptions = { noEmit: false, declaration: true, emitDeclarationOnly: true, noCheck: true, rootDir: root, outDir: folder, typeRoots: [join(root, 'node_modules', '@types')] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files: [join(root, 'lib', 'index.ts')] }))
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(folder, 'tsconfig.json')], { cwd: root, stdio: 'inherit' })
  return folder
}

/** The page. */
export function reference(): string {
  const folder = emit()
  try {
    const declarations = new Declarations(join(folder, 'lib', 'index.d.ts'))
    const entries = declarations.exported().filter(({ name }) => !['tf', 'Plot'].includes(name))
    const values = entries.filter(({ kind }) => kind !== 'type'), types = entries.filter(({ kind }) => kind === 'type')
    return [
      '# Reference',
      'Every public name, from its doc comment: `node docs/api.ts` writes this page. In a cell the names stand ready; elsewhere they are imported from `graft`. `tf` is [TensorFlow.js](https://js.tensorflow.org/api/latest/), `Plot` [Observable Plot](https://observablehq.com/plot/).',
      'The examples follow this cell:', fenced(before),
      values.map(({ name }) => `[\`${name}\`](#${anchor(name)})`).join(' · '),
      ...values.map(one => section(one, declarations)),
      '## Types', ...types.map(one => section(one, declarations)),
    ].join('\n\n') + '\n'
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const fenced = (code: string, language = 'ts') => `\`\`\`${language}\n${code}\n\`\`\``
const anchor = (name: string) => name.toLowerCase().replace(/[^\w-]/g, '')

function section(one: Declared, declarations: Declarations): string {
  const doc = docOf(one.comment), options = declarations.optionsOf(one)
  return [
    `### ${one.name}`,
    one.signatures.length ? fenced(one.signatures.join('\n'), 'typescript') : '',
    ...told(doc),
    one.members.length ? one.members.map(member => line(member.name, member.type, member.comment)).join('\n') : '',
    ...options.map(({ name, members }) => `\`${name}\`:\n\n${members.map(member => line(member.name, member.type, member.comment)).join('\n')}`),
    ...doc.examples.map(code => fenced(code, one.kind === 'type' ? 'typescript' : 'ts')),
  ].filter(Boolean).join('\n\n')
}

function told({ text, params, returns, throws }: Doc): string[] {
  return [
    text,
    params.map(([name, about]) => `- \`${name}\`: ${about}`).join('\n'),
    returns ? `Returns ${returns}` : '',
    throws.map(about => `Throws ${about}`).join('\n'),
  ].filter(Boolean)
}

/** A member in one line: its name, its type, what it does. */
function line(name: string, type: string, comment: string): string {
  const doc = docOf(comment)
  return `- \`${name}${type}\`${doc.text || doc.throws.length ? `: ${[doc.text.replaceAll(/\n+/g, ' '), ...doc.throws.map(about => `Throws ${about}`)].filter(Boolean).join(' ')}` : ''}`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(join(root, 'docs', 'api.md'), reference())
