import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { GraftError } from '../error.ts'
import { displayId, displaySymbol, host, type Comm, type MimeBundle } from '../host.ts'

/** What {@link widget} needs. */
export interface WidgetOptions<State extends object> {
  /**
   * The front end's part: an ES module whose default export is `{ render({ model, el }) }`, as anywidget defines it
   * (https://anywidget.dev/en/afm). `model.get(name)`, `model.set(name, value)` with `model.save_changes()`,
   * `model.on('change:name', …)` and `model.send(message)` reach this side.
   */
  esm: string
  /** Style for it. */
  css?: string
  /** What both sides share: values that JSON can say. */
  state: State
  /** What is shown where no widgets can be: on GitHub, in nbconvert's HTML, in a terminal. Default: the state as text. */
  fallback?: MimeBundle
  /**
   * What is displayed, and saved with the notebook, is the fallback's HTML, in an element whose id is the state's `place`; the
   * module's `initialize` brings it to life there. So a notebook that is opened without its kernel shows the fallback, where
   * Jupyter would say that it found no model. Default: Jupyter's own way, for modules with a `render` alone.
   */
  inPlace?: boolean
}

interface Update {
  method?: string
  state?: Record<string, unknown>
  content?: unknown
}

/**
 * Something in the notebook that can be touched: a state shared with a small program in the browser, over Jupyter's widget
 * protocol 2 (ipywidgets, "Model state") through anywidget's front end. It shows itself.
 */
export class Widget<State extends object> {
  #state: State
  readonly #options: WidgetOptions<State>
  readonly #id = displayId()
  #comm: Comm | null = null
  #closed = false
  readonly #onChange: ((changed: Partial<State>) => void)[] = []
  readonly #onMessage: ((message: unknown, buffers: Uint8Array[]) => void)[] = []

  constructor(options: WidgetOptions<State>) {
    if (typeof options?.esm !== 'string' || typeof options.state !== 'object' || options.state === null) {
      throw new GraftError(
        "widget: expected { esm: 'export default { render({ model, el }) { … } }', state: { … } }; received "
          + `${inspect(options, { depth: 0 })}.`,
      )
    }
    this.#options = { ...options }
    this.#state = { ...options.state, ...options.inPlace && { place: `graft-${this.#id}` } }
  }

  /** The shared state; change it by {@link set}. */
  get state(): Readonly<State> {
    return this.#state
  }

  /** Whether a front end may be showing it. */
  get open(): boolean {
    return this.#comm !== null && !this.#closed
  }

  /** Makes it known to front ends before it is shown: their `initialize` runs. `false` where there is none. */
  connect(): boolean {
    return this.#connect() !== undefined
  }

  /** Changes some of the state, here and in the browser. */
  set(changes: Partial<State>): void {
    Object.assign(this.#state, changes)
    if (this.open) this.#comm!.send({ method: 'update', state: changes, buffer_paths: [] })
  }

  /** Sends a message to the browser's part; `model.on('msg:custom', …)` hears it. */
  send(message: unknown, buffers: Uint8Array[] = []): void {
    if (this.open) this.#comm!.send({ method: 'custom', content: message }, buffers)
  }

  /** Calls `listener` when the browser changed some of the state. */
  onChange(listener: (changed: Partial<State>) => void): this {
    this.#onChange.push(listener)
    return this
  }

  /** Calls `listener` with what the browser's part sends by `model.send(message)`. */
  onMessage(listener: (message: unknown, buffers: Uint8Array[]) => void): this {
    this.#onMessage.push(listener)
    return this
  }

  /** Ends it: what is shown of it stays still. */
  close(): void {
    if (this.open) this.#comm!.close()
    this.#closed = true
  }

  /** Shows it; {@link refresh} replaces what is saved of it. */
  show(): void {
    host().display(this[displaySymbol](), this.#id)
  }

  /** Where it is shown in the place of its fallback: sets another fallback, which is what is saved from now on. */
  refresh(fallback: MimeBundle): void {
    this.#options.fallback = fallback
    if (this.open) host().update(this.#id, this[displaySymbol]())
  }

  [displaySymbol](): MimeBundle {
    const fallback = this.#options.fallback ?? { 'text/plain': inspect(this.#state) }
    const id = this.#connect()
    if (id && this.#options.inPlace) return { ...fallback, 'text/html': `<div id="graft-${this.#id}">${fallback['text/html']}</div>` }
    return id
      ? { ...fallback, 'application/vnd.jupyter.widget-view+json': { version_major: 2, version_minor: 1, model_id: id } }
      : fallback
  }

  [inspect.custom](): string {
    return String(this.#options.fallback?.['text/plain'] ?? inspect(this.#state))
  }

  #connect(): string | undefined {
    if (this.#closed) return undefined
    if (this.#comm) return this.#comm.id
    this.#comm = host().comm('jupyter.widget', { state: this.#whole(), buffer_paths: [] }, { version: '2.1.0' })
    this.#comm?.onMessage((data, buffers) => this.#receive(data as Update, buffers))
    this.#comm?.onClose?.(() => {
      this.#closed = true
    })
    return this.#comm?.id
  }

  /** The state with what tells a front end how to show it. */
  #whole(): object {
    // Any version of anywidget that the server has: its module format has been the same since 0.9.
    const front = { module: 'anywidget', version: '*' }
    return {
      _model_module: front.module,
      _model_module_version: front.version,
      _model_name: 'AnyModel',
      _view_module: front.module,
      _view_module_version: front.version,
      _view_name: 'AnyView',
      _view_count: null,
      _dom_classes: [],
      _anywidget_id: 'graft',
      _esm: this.#options.esm,
      _css: this.#options.css ?? '',
      ...this.#state,
    }
  }

  #receive({ method, state = {}, content }: Update, buffers: Uint8Array[]): void {
    // A page that was loaded anew knows nothing of it.
    if (method === 'request_state') return this.#comm!.send({ method: 'update', state: this.#whole(), buffer_paths: [] })
    if (method === 'custom') for (const listener of this.#onMessage) listener(content, buffers)
    if (method !== 'update') return
    // Only what belongs to the state: a front end also tells of its views.
    const changed = Object.fromEntries(
      Object.entries(state).filter(([name]) => Object.hasOwn(this.#state, name)),
    ) as Partial<State>
    if (!Object.keys(changed).length) return
    Object.assign(this.#state, changed)
    for (const listener of this.#onChange) listener(changed)
  }
}

/**
 * Makes a widget from an ES module for the browser and a state that both sides share. Where the front end has no widgets its
 * fallback is shown.
 *
 * @example
 * import { widget } from 'graft'
 * const clicks = widget({
 *   esm: `export default { render({ model, el }) {
 *     const button = document.createElement('button')
 *     const show = () => { button.textContent = 'clicked ' + model.get('count') }
 *     button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes() }
 *     model.on('change:count', show); show(); el.append(button)
 *   } }`,
 *   state: { count: 0 },
 * })
 * clicks
 */
export const widget = <State extends object>(options: WidgetOptions<State>): Widget<State> => new Widget(options)

/** The browser's part of one of the library's own widgets. */
export const frontEnd = (name: string) => ({
  esm: readFileSync(new URL(`widgets/${name}.js`, import.meta.url), 'utf8'),
  css: readFileSync(new URL('widgets/style.css', import.meta.url), 'utf8'),
})
