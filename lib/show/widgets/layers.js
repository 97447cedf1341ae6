// The layer table that can be touched: search, folding, a click freezes or unfreezes, another shows how to tap. Runs in the browser.
export default {
  render({ model, el }) {
    const open = new Set()
    const make = (tag, attributes = {}, ...children) => {
      const node = document.createElement(tag)
      for (const [name, value] of Object.entries(attributes))
        name.startsWith('on') ? node.addEventListener(name.slice(2), value) : node.setAttribute(name, value)
      node.append(...children)
      return node
    }
    const search = make('input', { type: 'search', placeholder: 'Search layers', 'aria-label': 'Search layers' })
    const summary = make('span', { class: 'faint', 'aria-live': 'polite' })
    const code = make('div', { class: 'bar code', 'aria-live': 'polite' })
    const table = make('table')
    search.value = model.get('search')

    const toggle = (which, on) => model.send({ [on ? 'unfreeze' : 'freeze']: which })
    /** What trains is told by a word, and by how the button looks. */
    const button = (which, { name, held, training }) => {
      const state = training ? 'trains' : 'frozen'
      return make(
        'button',
        {
          class: training ? 'trains' : '',
          'aria-pressed': String(training > 0),
          'aria-label': `${name}: ${training ? 'trains, freeze it' : 'frozen, let it train'}`,
          onclick: event => {
            event.stopPropagation()
            toggle(which, !training)
          },
        },
        training && training < held ? `${training} of ${held}` : state,
      )
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
        make('td', {}, layer.held ? button(layer.name, layer) : ''),
        make('td', {}, make('button', { 'aria-label': `tap ${layer.name}`, onclick: () => model.send({ tap: layer.name }) }, 'tap')),
      )

    const blockRow = (block, i) => {
      const { name } = block,
        isOpen = open.has(i)
      const fold = () => {
        isOpen ? open.delete(i) : open.add(i)
        draw(`[data-place="${i}"] .fold`)
      }
      const arrow = make(
        'button',
        { class: 'fold', 'aria-expanded': String(isOpen), 'aria-label': `${name}, ${block.type}` },
        isOpen ? '▾' : '▸',
      )
      return make(
        'tr',
        { class: 'block', 'data-block': name, 'data-place': i, onclick: fold },
        make('td', { title: name }, arrow, name),
        make('td', { class: 'faint' }, block.type),
        ...values(block),
        make('td', {}, block.held ? button(`block ${name}`, block) : ''),
        make('td'),
      )
    }

    /** Draws all rows anew; what had the focus has it again, or else what `focus` selects. */
    function draw(focus) {
      const had = document.activeElement?.closest('[data-layer], [data-block]'),
        label = document.activeElement?.getAttribute('aria-label')?.split(':')[0]
      const words = search.value.trim().toLowerCase(),
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
      const heads = [{ head: 'Layer', width: 22 }, { head: 'Type', width: 19 }, ...columns, { head: 'Training', width: 12 }, { head: '', width: 8 }]
      const all = heads.reduce((sum, { width }) => sum + width, 0)
      table.replaceChildren(
        make('colgroup', {}, ...heads.map(({ width }) => make('col', { style: `width:${(100 * width) / all}%` }))),
        make('thead', {}, make('tr', {}, ...heads.map(({ head, align }) => make('th', { class: align ? 'number' : '', scope: 'col' }, head)))),
        make('tbody', {}, ...rows),
      )
      summary.textContent = words ? `${found.length} of ${layers.length} layers` : model.get('summary')
      const again = label && had && [...el.querySelectorAll('button')].find(node => node.getAttribute('aria-label')?.split(':')[0] === label)
      ;(typeof focus === 'string' ? el.querySelector(focus) : again)?.focus({ preventScroll: true })
    }
    function say() {
      const line = model.get('code')
      code.replaceChildren(...(line ? [make('span', { class: 'faint' }, model.get('said')), make('code', {}, line)] : []))
    }
    search.addEventListener('input', () => draw())
    model.on('change:layers', () => draw())
    model.on('change:code', say)
    el.classList.add('graft-widget')
    el.append(
      make('div', { class: 'bar' }, make('b', {}, model.get('name')), search, summary),
      make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Layers of ${model.get('name')}` }, table),
      code,
    )
    draw()
    say()
  },
}
