/**
 * Waiting in the test's own process. In the page it is `kit.until`.
 */

const INTERVAL = 20

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Asks until the answer is yes; fails after the deadline with what was waited for and what there was instead. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience: number,
  instead: () => string = () => ''
): Promise<void> {
  const deadline = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms for ${what}: ${instead()}`)
    await pause(INTERVAL)
  }
}
