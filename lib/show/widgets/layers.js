// The layer table that can be touched: search, folding, a click freezes or unfreezes, another shows how to tap. Runs in the browser.

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    name.startsWith('on') ? node.addEventListener(name.slice(2), value) : node.setAttribute(name, value)
  node.append(...children)
  return node
}

/**
 * Draws the table into `el` and keeps it up to date. `kept` outlives the element, which a front end makes anew at will: open
 * blocks, the search, how far it is scrolled, and what had the focus.
 */
function mount(model, el, kept) {
  const { open } = kept
  const search = make('input', { type: 'search', placeholder: 'Search layers', 'aria-label': 'Search layers' })
  const summary = make('span', { class: 'faint', 'aria-live': 'polite' })
  const code = make('div', { class: 'bar code', 'aria-live': 'polite' })
  const table = make('table')
  const scroll = make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Layers of ${model.get('name')}` }, table)
  search.value = kept.search

  const toggle = (which, on) => model.send({ [on ? 'unfreeze' : 'freeze']: which })
  /** What trains is told by a word, and by how the button looks; beside it stands what else is known of it. */
  const button = (which, { name, held, training, state }) => {
    const [, word, more] = /^(frozen|trains|\d+ of \d+ train) ?(.*)$/.exec(state)
    const node = make(
      'button',
      {
        class: training ? 'trains' : '',
        'aria-pressed': String(training > 0),
        'aria-label': `${name}: ${training ? `${training < held ? state : 'trains'}, freeze it` : 'frozen, let it train'}`,
        onclick: event => {
          event.stopPropagation()
          toggle(which, !training)
        },
      },
      word,
    )
    return [node, make('span', { class: 'faint' }, ` ${more}`)]
  }
  const marks = line => line.marks.map(([sign, why]) => make('span', { title: why, role: 'img', 'aria-label': why }, ` ${sign}`))
  const values = line =>
    line.cells.map((cell, i) => make('td', { class: model.get('columns')[i].align ? 'number' : '', title: cell }, cell))

  const row = (layer, depth) =>
    make(
      'tr',
      { 'data-layer': layer.name },
      make('td', { style: `padding-left:${8 + 16 * depth}px`, title: layer.name }, layer.name, ...marks(layer)),
      make('td', { title: layer.type }, layer.type),
      ...values(layer),
      make('td', {}, ...(layer.held ? button(layer.name, layer) : [])),
      make('td', {}, make('button', { 'aria-label': `tap ${layer.name}`, onclick: () => model.send({ tap: layer.name }) }, 'tap')),
    )

  const blockRow = (block, i) => {
    const { name } = block,
      isOpen = open.has(i)
    const fold = () => {
      isOpen ? open.delete(i) : open.add(i)
      draw()
    }
    const arrow = make(
      'button',
      { class: 'fold', 'aria-expanded': String(isOpen), 'aria-label': `${name}, ${block.type}` },
      isOpen ? '▾' : '▸',
    )
    return make(
      'tr',
      { class: 'block', 'data-block': name, onclick: fold },
      make('td', { title: name }, arrow, name),
      make('td', { class: 'faint' }, block.type),
      ...values(block),
      make('td', {}, ...(block.held ? button(`block ${name}`, block) : [])),
      make('td'),
    )
  }

  const columnHead = ({ head, align }) => make('th', { class: align ? 'number' : '', scope: 'col' }, head)

  /** Draws all rows anew; what had the focus has it again. */
  function draw() {
    const words = kept.search.trim().toLowerCase(),
      layers = model.get('layers'),
      blocks = model.get('blocks'),
      columns = model.get('columns')
    const found = words ? layers.filter(layer => `${layer.name} ${layer.type}`.toLowerCase().includes(words)) : layers
    const rows = []
    let last = -1
    for (const layer of found) {
      const block = words ? -1 : layer.block
      if (block >= 0 && block !== last) rows.push(blockRow(blocks[block], block))
      if (block < 0 || open.has(block)) rows.push(row(layer, block < 0 ? 0 : 1))
      last = block
    }
    const heads = [{ head: 'Layer' }, { head: 'Type' }, ...columns, { head: 'Training' }, { head: '' }]
    table.replaceChildren(
      make('thead', {}, make('tr', {}, ...heads.map(columnHead))),
      make('tbody', {}, ...rows),
    )
    summary.textContent = words ? `${found.length} of ${layers.length} layers` : model.get('summary')
    scroll.scrollTop = kept.top
    const focused = document.activeElement
    if (kept.focus && (focused === document.body || el.contains(focused) || !focused?.isConnected)) {
      const node = [...el.querySelectorAll('button, input')].find(one => nameOf(one) === kept.focus)
      node?.focus({ preventScroll: true })
    }
  }
  function say() {
    const line = model.get('code')
    code.replaceChildren(...(line ? [make('span', { class: 'faint' }, model.get('said')), make('code', {}, line)] : []))
  }
  search.addEventListener('input', () => {
    kept.search = search.value
    draw()
  })
  scroll.addEventListener('scroll', () => (kept.top = scroll.scrollTop))
  el.addEventListener('focusin', event => (kept.focus = nameOf(event.target)))
  el.addEventListener('focusout', event => {
    if (event.relatedTarget && !el.contains(event.relatedTarget)) kept.focus = null
  })
  model.on('change:layers', draw)
  model.on('change:code', say)
  el.classList.add('graft-widget')
  el.append(make('div', { class: 'bar' }, make('b', {}, model.get('name')), search, summary), scroll, code)
  draw()
  say()
  return () => {
    model.off('change:layers', draw)
    model.off('change:code', say)
  }
}

/** What a button is for, whatever it says of the state. */
const nameOf = button => button.getAttribute('aria-label')?.split(':')[0]

export default {
  /** The static table stands in the notebook; wherever it is shown, the live one takes its place. */
  initialize({ model }) {
    const kept = { open: new Set(), search: model.get('search'), top: 0, focus: null },
      shown = new Map()
    const look = () => {
      for (const [place, end] of shown) {
        if (place.isConnected) continue
        end()
        shown.delete(place)
      }
      for (const place of document.querySelectorAll(`[id="${model.get('place')}"]`)) {
        if (shown.has(place)) continue
        const el = document.createElement('div'),
          still = [...place.childNodes]
        place.replaceChildren(el)
        const end = mount(model, el, kept)
        shown.set(place, () => {
          end()
          place.replaceChildren(...still)
        })
      }
    }
    const watch = new MutationObserver(look)
    watch.observe(document.body, { childList: true, subtree: true })
    look()
    return () => {
      watch.disconnect()
      for (const end of shown.values()) end()
    }
  },
}
