import { readFileSync } from 'node:fs'
import { didYouMean, GraftError } from '../../lib/error.ts'
import { displaySymbol, type MimeBundle } from '../../lib/host.ts'
import type { Output } from '../cell/output.ts'
import { imageMime, toBundle } from './bundle.ts'
import { publishBundle, show, updateBundle } from './display.ts'

// What `Deno.jupyter` is in a cell, so that notebooks written for Deno's kernel show what they show there
// (https://docs.deno.com/api/deno/~/Deno.jupyter). Deno's other names are not here: each says what stands in its place.

/** A value that shows itself, as Deno's templates return it. */
export interface Displayable { [displaySymbol]: () => MimeBundle | Promise<MimeBundle> }

/** What `Deno.jupyter.display` takes beside a value. */
export interface DenoDisplayOptions {
  /** The value is a mime bundle, to be shown as it is. */
  raw?: boolean
  /** Replaces what was shown under `display_id`. */
  update?: boolean
  display_id?: string
}

type Tag = (strings: TemplateStringsArray, ...values: unknown[]) => Displayable

/** `Deno.jupyter` in a cell. */
export interface DenoJupyter {
  /** The method by which a value shows itself: `[Deno.jupyter.$display]() { return { 'text/html': '…' } }`. */
  readonly $display: typeof displaySymbol
  /** Shows a value; resolves when it was sent. */
  display(value: unknown, options?: DenoDisplayOptions): Promise<void>
  /** How a value would be shown. */
  format(value: unknown): Promise<MimeBundle>
  /** Markdown: ``md`# Title` ``. */
  md: Tag
  /** HTML: ``html`<b>${x}</b>` ``. Values are put in as they are. */
  html: Tag
  /** SVG: ``svg`<svg>…</svg>` ``. */
  svg: Tag
  /** A PNG, JPEG or GIF file, by its path or its bytes. */
  image(source: string | Uint8Array): Displayable
  /** Publishes a message of any type to all front ends. */
  broadcast(msgType: string, content: Record<string, unknown>, extra?: { metadata?: Record<string, unknown>, buffers?: Uint8Array[] }): Promise<void>
}

/** What a cell finds as `Deno`: its `jupyter`; the rest is typed loosely, because using it ends in a sentence that helps more than TypeScript's. */
export interface DenoNames {
  readonly jupyter: DenoJupyter
  readonly [other: string]: any
}

const instead: Record<string, string> = {
  env: '`process.env`', cwd: '`process.cwd()`', chdir: '`process.chdir`', args: '`process.argv`', exit: '`process.exit`', pid: '`process.pid`', version: '`process.versions`',
  build: '`process.platform` and `process.arch`', memoryUsage: '`process.memoryUsage()`', stdin: '`input(prompt)`', stdout: '`process.stdout`', stderr: '`process.stderr`',
  inspect: '`inspect` of node:util', Command: '`spawn` or `execFile` of node:child_process', test: '`test` of node:test', serve: '`createServer` of node:http',
  listen: '`createServer` of node:net', connect: '`connect` of node:net', resolveDns: '`resolve` of node:dns/promises', openKv: '`DatabaseSync` of node:sqlite',
  readTextFile: '`readFile(path, "utf8")` of node:fs/promises', readTextFileSync: '`readFileSync(path, "utf8")` of node:fs',
  writeTextFile: '`writeFile` of node:fs/promises', writeTextFileSync: '`writeFileSync` of node:fs', readDir: '`readdir` of node:fs/promises', readDirSync: '`readdirSync` of node:fs',
  remove: '`rm` of node:fs/promises', removeSync: '`rmSync` of node:fs', makeTempDir: '`mkdtemp` of node:fs/promises', makeTempDirSync: '`mkdtempSync` of node:fs',
  ...Object.fromEntries(['readFile', 'writeFile', 'mkdir', 'stat', 'lstat', 'open', 'rename', 'copyFile', 'symlink', 'chmod', 'realPath', 'truncate'].flatMap(name => {
    const own = name.toLowerCase() === 'realpath' ? 'realpath' : name
    return [[name, `\`${own}\` of node:fs/promises`], [`${name}Sync`, `\`${own}Sync\` of node:fs`]]
  })),
}

/** Makes the cells' `Deno`. */
export function makeDeno(output: Output): DenoNames {
  const tag = (mime: string): Tag => (strings, ...values) => {
    // As Deno does it, and unlike String.raw, escapes such as \n count.
    const text = strings.map((string, at) => string + (at < values.length ? String(values[at]) : '')).join('')
    return { [displaySymbol]: () => ({ [mime]: text, 'text/plain': text }) }
  }
  const jupyter: DenoJupyter = {
    $display: displaySymbol,
    md: tag('text/markdown'), html: tag('text/html'), svg: tag('image/svg+xml'),
    async display(value, { raw = false, update = false, display_id } = {}) {
      if (update && display_id === undefined) throw new GraftError('Deno.jupyter.display with `update` expects the `display_id` under which it was shown')
      await show(value, raw, bundle => update ? updateBundle(output, display_id!, bundle) : publishBundle(output, bundle, display_id))
    },
    async format(value) { return { ...await toBundle(value) } },
    image(source) {
      const bytes = typeof source === 'string' ? readFileSync(source) : source, mime = imageMime(bytes)
      if (!mime) throw new GraftError('Deno.jupyter.image expected the path or the bytes of a PNG, JPEG or GIF image')
      return { [displaySymbol]: () => ({ [mime]: bytes, 'text/plain': `<${mime}, ${bytes.length} bytes>` }) }
    },
    async broadcast(msgType, content, { metadata, buffers } = {}) {
      const id = String(content.comm_id), target = content.target_name
      const comm = msgType === 'comm_open' ? { id, target: String(target) } : msgType === 'comm_close' ? { id } : undefined
      output.publish(msgType, content, { metadata, buffers, comm })
    },
  }
  return strict('Deno', { jupyter }, name => instead[name] ? `Use ${instead[name]} instead.` : 'Use the modules of Node instead, such as node:fs and node:process.') as unknown as DenoNames
}

/** The same object, but reading what it does not have is an error that helps. Looking at it, awaiting it or printing it is none. */
function strict(path: string, own: Record<string, unknown>, help: (name: string) => string) {
  return new Proxy(own, {
    get(target, name) {
      if (typeof name === 'symbol' || name in target || name === 'then' || name === 'toJSON') return Reflect.get(target, name)
      throw new GraftError(`there is no ${path}.${name}: this kernel runs on Node and has Deno.jupyter alone.${didYouMean(name, Object.keys(own))} ${help(name)}`)
    },
  })
}
