// Buttons beside a run under way: stop, pause, another learning rate. Runs in the browser.
export default {
  // The buttons are shown once a browser has said that it can show them.
  initialize({ model }) {
    model.send({ ready: true })
  },
  render({ model, el }) {
    const button = (label, title, action) => {
      const node = document.createElement('button')
      node.textContent = label
      node.title = title
      node.addEventListener('click', () => model.send(action()))
      return node
    }
    const stop = button('■ Stop', 'End the run after this step; what was learned stays', () => ({ stop: true }))
    const pause = button('', '', () => (model.get('paused') ? { resume: true } : { pause: true }))
    const slower = button('rate ÷ 2', 'Halve the learning rate from the next step on', () => ({ factor: 0.5 }))
    const faster = button('rate × 2', 'Double the learning rate from the next step on', () => ({ factor: 2 }))
    const said = document.createElement('span')
    said.className = 'faint'
    said.setAttribute('aria-live', 'polite')
    const draw = () => {
      const paused = model.get('paused'),
        over = model.get('over')
      pause.textContent = paused ? '▶ Go on' : '❚❚ Pause'
      pause.title = paused ? 'Go on with the run' : 'Let the run wait after this step'
      pause.setAttribute('aria-pressed', String(paused))
      said.textContent = over ? '' : `learning rate ${model.get('rate')}${paused ? ' · paused' : ''}`
      el.style.display = over ? 'none' : ''
    }
    const bar = document.createElement('div')
    bar.className = 'bar'
    bar.append(stop, pause, slower, faster, said)
    el.classList.add('graft-widget')
    el.append(bar)
    for (const name of ['paused', 'over', 'rate']) model.on(`change:${name}`, draw)
    draw()
  },
}
