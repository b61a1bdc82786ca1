// The small mark that tells where a sidecar runs: a box in a box for the sandbox, an open hexagon for a native program.
import type { Backend } from '../status'

const SVG = 'http://www.w3.org/2000/svg'

export function mark(backend: Backend): SVGElement {
  const svg = make('svg', { viewBox: '0 0 16 16', class: `mark mark-${backend}`, 'aria-hidden': 'true' })
  if (backend === 'component') {
    svg.append(
      make('rect', { x: '1.75', y: '1.75', width: '12.5', height: '12.5', rx: '3', class: 'mark-line' }),
      make('rect', { x: '5.25', y: '5.25', width: '5.5', height: '5.5', rx: '1.25', class: 'mark-fill' }),
    )
  } else {
    svg.append(make('path', { d: 'M8 1.4 13.7 4.7v6.6L8 14.6 2.3 11.3V4.7Z', class: 'mark-line' }))
  }
  return svg
}

/** What the mark says, in words. */
export function markWords(backend: Backend): string {
  return backend === 'component' ? 'sandboxed component' : 'native program'
}

function make(tag: 'svg' | 'rect' | 'path', attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  return element
}
