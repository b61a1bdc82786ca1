// Starts the window: state, views, and the keys that work everywhere.
import { awaitArrivals } from './arrivals'
import { pollUsage } from './poll'
import { App } from './state'
import { mount } from './view/window'

if (import.meta.env.MODE === 'mock') {
  const { mockHost } = await import('./mock/host')
  mockHost()
}

const app = new App()
mount(app, document.querySelector('#app')!)
pollUsage(app)
awaitArrivals(app)
addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  void app.start()
})
await app.load()
