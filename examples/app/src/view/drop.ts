// The drop zone: a file dropped anywhere, or chosen by the button, is looked at before any of it runs.
import type { App } from '../state'
import { h, type View } from './dom'

export function dropZone(app: App): View {
  const file = h('input', {
    type: 'file',
    id: 'drop-input',
    class: 'unseen',
    accept: '.wasm',
    'data-testid': 'drop-input',
    'aria-describedby': 'drop-words',
  })
  const element = h(
    'div',
    { class: 'drop' },
    h('p', { id: 'drop-words' }, 'Drop a .wasm here to see what it asks for before it runs.'),
    file,
    h('label', { class: 'button', for: 'drop-input' }, 'Choose a file'),
  )

  file.addEventListener('change', () => {
    const chosen = file.files?.[0]
    if (chosen) void app.inspect(chosen)
    // So that choosing the same file again is a change.
    file.value = ''
  })

  // A file dropped beside the zone would otherwise replace the app by the file.
  addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    element.classList.add('drop-over')
  })
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) element.classList.remove('drop-over')
  })
  addEventListener('drop', (event) => {
    element.classList.remove('drop-over')
    const dropped = event.dataTransfer?.files[0]
    if (!dropped) return
    event.preventDefault()
    void app.inspect(dropped)
  })

  return { element, render() {} }
}
