/**
 * One spawned child, from the request to its end: takes the messages of its channel apart, hands each event to whoever wants it,
 * and lets go of everything when the child is over.
 *
 * A child can write, and even end, before its page has learnt that it runs. Events that nobody wants yet are therefore held until
 * one macrotask after the reply, which lets `await command.spawn()` be followed by a listener or a loop that misses nothing.
 * They are not acknowledged meanwhile, so the host bounds their size. After that, what nobody wants is dropped.
 */
import { Credit, Receipt } from './credit.js'
import type { EventEmitter } from './emitter.js'
import { type ChildEvent, decodeBatch } from './messages.js'
import type { Output } from './output.js'
import type { CommandEvents, IOPayload, TerminatedPayload } from './types.js'

/** Where the events of a child go. */
export interface Outlets<O extends IOPayload> {
  readonly command: EventEmitter<CommandEvents>
  readonly stdout: Output<O>
  readonly stderr: Output<O>
}

interface Held<O extends IOPayload> {
  readonly event: ChildEvent<O>
  readonly receipt: Receipt
}

/** What `error` and `close` say when the host let go of the channel without saying how the child ended. */
const LOST = 'the host stopped telling about the child before it ended'

export class Session<O extends IOPayload> {
  /** Resolves when the child is over. It never rejects. */
  readonly closed: Promise<TerminatedPayload>

  private replied = false
  private lostEarly = false
  /** The host has told how the child ended; the event may still be held. Nothing that comes later counts. */
  private ended = false
  /** Everybody has been told. */
  private over = false
  private holding = true
  private held: Held<O>[] = []
  /** The kinds of event in `held`: a later one of the same kind must not overtake. */
  private readonly heldKinds = new Set<string>()
  private readonly credit = new Credit()
  private announce!: (payload: TerminatedPayload) => void

  /**
   * @param outlets - Where its events go.
   * @param release - Called once, when no event is of interest any more. What comes after it must not be passed on.
   */
  constructor(
    private readonly outlets: Outlets<O>,
    private readonly release: () => void
  ) {
    this.closed = new Promise((resolve) => (this.announce = resolve))
    outlets.stdout.open()
    outlets.stderr.open()
  }

  /** Takes a message of the channel. */
  receive(message: unknown): void {
    const { bytes, events } = decodeBatch<O>(message)
    const receipt = new Receipt(bytes, this.credit)
    for (const event of events) this.dispatch(event, receipt)
    receipt.release()
  }

  /** The host has started the child. */
  started(pid: number): void {
    this.replied = true
    this.credit.start(pid)
    if (this.lostEarly) this.lost()
    setTimeout(() => this.stopHolding(), 0)
  }

  /** The host has refused to start the child. What was held, if anything, goes with this session. */
  refused(): void {
    this.finish()
  }

  /** The channel is closed. That is how it should be after the last event, and a fault before. */
  lost(): void {
    if (!this.replied) {
      // The reply tells whether there is a child at all.
      this.lostEarly = true
      return
    }
    const nothing = new Receipt(0, this.credit)
    this.dispatch({ event: 'Error', payload: LOST }, nothing)
    this.dispatch({ event: 'Terminated', payload: { code: null, signal: null, reason: LOST } }, nothing)
  }

  private stopHolding(): void {
    this.holding = false
    const held = this.held
    this.held = []
    for (const { event, receipt } of held) {
      this.deliver(event, receipt)
      receipt.release()
    }
  }

  private dispatch(event: ChildEvent<O>, receipt: Receipt): void {
    if (this.ended) return
    this.ended = event.event === 'Terminated'
    if (!this.mustHold(event)) {
      this.deliver(event, receipt)
      return
    }
    receipt.hold()
    this.held.push({ event, receipt })
    this.heldKinds.add(event.event)
  }

  private mustHold({ event }: ChildEvent<O>): boolean {
    if (!this.holding) return false
    const { command, stdout, stderr } = this.outlets
    switch (event) {
      case 'Stdout':
        return this.heldKinds.has(event) || !stdout.wanted
      case 'Stderr':
        return this.heldKinds.has(event) || !stderr.wanted
      case 'Error':
        return this.heldKinds.has(event) || command.listenerCount('error') === 0
      case 'Terminated':
        // The end comes after everything else.
        return this.held.length > 0 || command.listenerCount('close') === 0
    }
  }

  private deliver(event: ChildEvent<O>, receipt: Receipt): void {
    const { command, stdout, stderr } = this.outlets
    // A kind that is not known here is skipped, as in the shell plugin.
    switch (event.event) {
      case 'Stdout':
        stdout.push(event.payload, receipt)
        break
      case 'Stderr':
        stderr.push(event.payload, receipt)
        break
      case 'Error':
        command.emit('error', event.payload)
        break
      case 'Terminated':
        this.announce(event.payload)
        this.finish()
        command.emit('close', event.payload)
        break
    }
  }

  private finish(): void {
    if (this.over) return
    this.over = true
    this.credit.finish()
    this.outlets.stdout.close()
    this.outlets.stderr.close()
    this.release()
  }
}
