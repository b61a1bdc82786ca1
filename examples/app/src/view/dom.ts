// Makes elements. Text goes in as text nodes and nothing is ever parsed as markup: much of it comes from strangers.

type Attributes = Record<string, string | number | boolean>
export type Children = (Node | string | null)[]

/** A piece of the window: built once, and brought up to date after every change. */
export interface View {
  element: HTMLElement
  render(): void
}

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Children
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  element.append(...children.filter((child) => child !== null))
  return element
}

/** `true` sets an empty attribute and `false` removes it, as HTML has it; ARIA's attributes want the words. */
export function setAttribute(element: Element, name: string, value: string | number | boolean): void {
  const written = value === true ? '' : String(value)
  if (value === false) element.removeAttribute(name)
  else if (element.getAttribute(name) !== written) element.setAttribute(name, written)
}

/** Sets a text only if it changed, so that selections stay and screen readers do not repeat themselves. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Replaces the children only if `key` changed since the last time. */
export function rebuild(element: HTMLElement, key: string, children: () => Children): void {
  if (keys.get(element) === key) return
  keys.set(element, key)
  element.replaceChildren(...children().filter((child) => child !== null))
}

const keys = new WeakMap<HTMLElement, string>()

/** Text for screen readers only. */
export function unseen(text: string): HTMLElement {
  return h('span', { class: 'unseen' }, text)
}

/** A name for tests: slashes would read badly in selectors. */
export function testId(name: string): string {
  return name.replaceAll('/', '-')
}
