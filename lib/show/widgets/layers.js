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
    const body = make('tbody')
    const columns = [
      ['Layer', ''],
      ['Type', ''],
      ['Output shape', ''],
      ['Parameters', 'number'],
      ['Training', ''],
      ['', ''],
    ]
    const head = make(
      'thead',
      {},
      make('tr', {}, ...columns.map(([title, kind]) => make('th', { class: kind, scope: 'col' }, title))),
    )
    const widths = make('colgroup', {}, ...[30, 19, 19, 12, 12, 8].map(width => make('col', { style: `width:${width}%` })))

    const toggle = (which, on) => model.send({ [on ? 'unfreeze' : 'freeze']: which })
    const button = (which, trains, label) =>
      make(
        'button',
        {
          class: trains ? 'trains' : '',
          'aria-pressed': String(trains),
          'aria-label': `${label}: ${trains ? 'trains, freeze it' : 'frozen, let it train'}`,
          onclick: event => {
            event.stopPropagation()
            toggle(which, !trains)
          },
        },
        trains ? 'trains' : 'frozen',
      )

    const row = (layer, depth) =>
      make(
        'tr',
        { 'data-layer': layer.name },
        make('td', { style: `padding-left:${8 + 16 * depth}px`, title: layer.name }, layer.name),
        make('td', {}, layer.type),
        make('td', {}, layer.shape),
        make('td', { class: 'number' }, layer.params.toLocaleString('en')),
        make('td', {}, layer.params ? button(layer.name, layer.trainable > 0, layer.name) : ''),
        make(
          'td',
          {},
          make('button', { 'aria-label': `tap ${layer.name}`, onclick: () => model.send({ tap: layer.name }) }, 'tap'),
        ),
      )

    const blockRow = (block, layers) => {
      const held = layers.filter(layer => layer.params > 0),
        learning = held.filter(layer => layer.trainable > 0),
        isOpen = open.has(block)
      const fold = () => {
        isOpen ? open.delete(block) : open.add(block)
        draw()
      }
      const line = make(
        'tr',
        { class: 'block', 'data-block': block, onclick: fold },
        make(
          'td',
          { title: block },
          make(
            'button',
            {
              'aria-expanded': String(isOpen),
              'aria-label': `${block}, ${layers.length} layers`,
              style: 'border:none;background:none;padding:0 6px 0 0',
            },
            isOpen ? '▾' : '▸',
          ),
          block,
        ),
        make('td', { class: 'faint' }, `${layers.length} layers`),
        make('td', {}, layers.at(-1).shape),
        make('td', { class: 'number' }, layers.reduce((sum, layer) => sum + layer.params, 0).toLocaleString('en')),
        make('td', {}, held.length ? button(`block ${block}`, learning.length > 0, block) : ''),
        make(
          'td',
          { class: 'faint' },
          learning.length && learning.length < held.length ? `${learning.length}/${held.length}` : '',
        ),
      )
      return line
    }

    function draw() {
      const words = search.value.trim().toLowerCase(),
        layers = model.get('layers')
      const found = words ? layers.filter(layer => `${layer.name} ${layer.type}`.toLowerCase().includes(words)) : layers
      const rows = []
      for (let i = 0; i < found.length; i++) {
        const { block } = found[i]
        if (words || !block) {
          rows.push(row(found[i], 0))
          continue
        }
        let end = i
        while (end < found.length && found[end].block === block) end++
        rows.push(blockRow(block, found.slice(i, end)))
        if (open.has(block)) rows.push(...found.slice(i, end).map(layer => row(layer, 1)))
        i = end - 1
      }
      body.replaceChildren(...rows)
      summary.textContent = words ? `${found.length} of ${layers.length} layers` : model.get('summary')
    }
    function say() {
      const line = model.get('code')
      code.replaceChildren(...(line ? [make('span', { class: 'faint' }, model.get('said')), make('code', {}, line)] : []))
    }
    search.addEventListener('input', draw)
    model.on('change:layers', draw)
    model.on('change:code', say)
    el.classList.add('graft-widget')
    el.append(
      make('div', { class: 'bar' }, make('b', {}, model.get('name')), search, summary),
      make('div', { class: 'scroll' }, make('table', {}, widths, head, body)),
      code,
    )
    draw()
    say()
  },
}
