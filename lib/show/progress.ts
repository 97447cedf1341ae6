import { GraftError, inWords } from '../error.ts'
import { displayId, host, type MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { bytes, count, duration, escape } from './format.ts'
import { faint } from './html.ts'

export interface ProgressOptions {
  /** What is being done, e.g. `Decoding`. */
  label?: string
  /** How many there are; without it the bar only counts. */
  total?: number
  /** The numbers are bytes. */
  bytes?: boolean
}

/** How a bar stands. */
export interface ProgressView extends ProgressOptions {
  done: number
  seconds: number
  /** A word on what is being done right now. */
  note?: string
  state: 'running' | 'finished' | 'stopped'
  /** How many bars are around this one. */
  depth: number
}

/** A bar that grows; see {@link progressBar}. */
export interface ProgressBar {
  /** Counts some more as done, by default one. */
  tick(n?: number): void
  /** Says what is being done right now. */
  text(note: string): void
  /** Sets the total, where it becomes known later. */
  total(total: number): void
  /** Ends the bar; what is displayed stays and says the time. */
  done(note?: string): void
  /** Ends the bar before its total. */
  stop(note?: string): void
}

/** Bars that run at the same time share a display: one line each. */
interface Group {
  id: string
  bars: ProgressView[]
  shown: boolean
  last: number
  timer?: NodeJS.Timeout
}

const between = 250 // At most four updates a second.
const patience = 150 // What is done sooner shows no bar.

/**
 * One group per cell, told apart by the cell's signal, so that a bar that was never ended does not capture those of later cells.
 */
const groups = new WeakMap<AbortSignal, Group>()

/**
 * A progress bar for work that is no loop over a list. It appears once the work takes longer than a blink, is updated in place
 * at most four times a second, and stays as one line with the total and the time. A bar that is begun while another one runs
 * stands under it and goes when it is done.
 *
 * @example
 * const bar = progressBar({ label: 'Decoding', total: files.length })
 * for (const file of files) { await decode(file); bar.tick() }
 * bar.done()
 */
export function progressBar(options: ProgressOptions = {}): ProgressBar {
  const out = host()
  const { signal } = out
  const started = performance.now()
  const group = groups.get(signal) ?? { id: displayId(), bars: [], shown: false, last: started - between + patience }
  groups.set(signal, group)
  const view: ProgressView = { ...options, done: 0, seconds: 0, state: 'running', depth: group.bars.length }
  group.bars.push(view)

  const draw = () => {
    clearTimeout(group.timer)
    group.timer = undefined
    group.last = performance.now()
    if (view.state === 'running') view.seconds = (group.last - started) / 1000
    if (group.shown) out.update(group.id, progressView(...group.bars))
    else out.display(progressView(...group.bars), group.id)
    group.shown = true
  }
  const changed = () => {
    if (view.state !== 'running') return
    view.seconds = (performance.now() - started) / 1000
    const wait = group.last + between - performance.now()
    if (wait <= 0) draw()
    else group.timer ??= setTimeout(draw, wait).unref()
  }
  const end = (state: 'finished' | 'stopped', note?: string) => {
    if (view.state !== 'running') return
    changed()
    view.state = state
    view.note = note
    if (view !== group.bars[0]) group.bars.splice(group.bars.indexOf(view), 1)
    if (group.bars.some(bar => bar.state === 'running')) return
    groups.delete(signal)
    clearTimeout(group.timer)
    if (group.shown) draw()
  }
  return {
    tick: (n = 1) => {
      view.done += n
      changed()
    },
    text: note => {
      view.note = note
      changed()
    },
    total: total => {
      view.total = total
      changed()
    },
    done: note => end('finished', note),
    stop: note => end('stopped', note),
  }
}

/**
 * Goes through anything iterable, also asynchronously, and shows how far it got. Loops may be nested. A list's length is found;
 * give `total` for a generator.
 *
 * @example
 * for (const epoch of progress([1, 2, 3], { label: 'Epochs' })) console.log(epoch)
 * for await (const { labels } of progress(digits.train.batches(32), { label: 'Batches', total: 4 })) console.log(labels.length)
 */
export function progress<T>(items: Iterable<T>, options?: ProgressOptions): Iterable<T> & AsyncIterable<T>
export function progress<T>(items: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T>
export function progress<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options: ProgressOptions = {},
): Iterable<T> & AsyncIterable<T> {
  if (typeof (items as Iterable<T>)?.[Symbol.iterator] !== 'function' && typeof (items as AsyncIterable<T>)?.[Symbol.asyncIterator] !== 'function') {
    throw new GraftError(`progress: expected something to go through, e.g. progress(files); received ${inWords(items)}.`)
  }
  const total = options.total ?? lengthOf(items)
  return {
    *[Symbol.iterator]() {
      const bar = progressBar({ ...options, total })
      try {
        for (const item of items as Iterable<T>) {
          yield item
          bar.tick()
        }
        bar.done()
      } finally {
        bar.stop()
      }
    },
    async *[Symbol.asyncIterator]() {
      const bar = progressBar({ ...options, total })
      try {
        for await (const item of items) {
          yield item
          bar.tick()
        }
        bar.done()
      } finally {
        bar.stop()
      }
    },
  }
}

/** Bars as they look now, one under the other: text and, in a notebook, small bars. */
export function progressView(...bars: ProgressView[]): MimeBundle {
  const lines = bars.map(wordsOf), widest = (of: (line: Words) => string) => Math.max(...lines.map(line => of(line).length))
  const [name, far] = [widest(line => line.name), widest(line => line.far)]
  const text = lines.map(line => {
    const bar = line.share === undefined ? [] : [barOf(line.share)]
    return [line.name.padEnd(name), line.far.padStart(far), ...bar, line.words].join(' ').trimEnd()
  })
  // Bars of several lines begin at one place; how wide letters are is estimated.
  const html = lines.map(({ name: label, far, share, words }, i) => {
    const { depth, done, total } = bars[i], indent = depth * 14
    const style = bars.length > 1 ? ` style="display:inline-block;padding-left:${indent}px;width:${name * 7 + 8 - indent}px"` : ''
    const meter = share === undefined ? ''
      : `<progress value="${Math.min(done, total!)}" max="${total}" style="width:240px;vertical-align:middle"></progress> `
    return `<div><span${style}>${escape(label.trim())}</span> ${meter}${far} ${words && faint(escape(words))}</div>`
  })
  return showable({ 'text/plain': text.join('\n'), 'text/html': `<div style="font-size:13px">${html.join('')}</div>` })
}

/** What a bar says. */
interface Words {
  name: string
  /** How far it is: `34/200`. */
  far: string
  /** The share that is done; nothing where the total is not known. */
  share?: number
  words: string
}

function wordsOf({ label = 'Progress', total, done, state, seconds, note, depth, bytes: isBytes }: ProgressView): Words {
  const amount = isBytes ? bytes : count
  const left =
    state !== 'running'
      ? `${state === 'stopped' ? 'stopped after' : 'in'} ${duration(seconds)}`
      : total && done > 0 && done < total
        ? `${duration((seconds / done) * (total - done))} left`
        : ''
  return {
    name: `${'  '.repeat(depth)}${label}`,
    far: total === undefined ? amount(done) : `${amount(done)}/${amount(total)}`,
    ...total !== undefined && { share: total ? Math.min(1, done / total) : 1 },
    words: [left, note].filter(Boolean).join(', '),
  }
}

function barOf(share: number): string {
  const arrow = Math.round(share * 20)
  return `[${(share === 1 ? '=' : '>').padStart(arrow, '=').slice(0, arrow).padEnd(20)}]`
}

function lengthOf(items: object): number | undefined {
  const { length, size } = items as { length?: unknown; size?: unknown }
  return typeof length === 'number' ? length : typeof size === 'number' ? size : undefined
}
