/**
 * The accounting of output that was consumed. The host holds a child back once too much of its output is unacknowledged, so what
 * is acknowledged, and when, is what bounds the memory of the page.
 */
import { invoke } from '@tauri-apps/api/core'

/**
 * Bytes that are acknowledged in one request. An eighth of what the host lets a child have outstanding, so that a child seldom
 * waits and requests stay few.
 */
export const ACK_THRESHOLD = 128 * 1024

/** What one child's page owes its host. */
export class Credit {
  private due = 0
  private pid: number | undefined
  private over = false

  /** The child has a number by which it can be acknowledged; what was consumed before is owed from now on. */
  start(pid: number): void {
    this.pid = pid
    this.settle()
  }

  /** Adds bytes that were consumed. */
  consumed(bytes: number): void {
    this.due += bytes
    this.settle()
  }

  /** The child is over, so nobody waits for an acknowledgement any more. */
  finish(): void {
    this.over = true
  }

  private settle(): void {
    if (this.pid === undefined || this.over || this.due < ACK_THRESHOLD) return
    const bytes = this.due
    this.due = 0
    // A refusal means that the child is gone, and then nothing is owed.
    invoke('plugin:wasi-sidecar|ack', { pid: this.pid, bytes }).catch(() => {})
  }
}

/** One message of the host, until everybody who holds a part of it is done with it. Whoever makes it holds it. */
export class Receipt {
  private holders = 1

  constructor(
    private readonly bytes: number,
    private readonly credit: Credit
  ) {}

  hold(): void {
    this.holders += 1
  }

  release(): void {
    this.holders -= 1
    if (this.holders === 0) this.credit.consumed(this.bytes)
  }
}
