/**
 * The event emitter that `Command` and its streams are. It behaves as the shell plugin's does, with three exceptions: a listener
 * that throws does not keep the others from being called; `emit` tells the truth after the last listener was taken off; and
 * prepending inside a listener does not call that listener again.
 */

type Listener<T> = (arg: T) => void

/**
 * Calls listeners by the name of an event.
 *
 * @example
 * ```typescript
 * import { EventEmitter } from 'tauri-plugin-wasi-sidecar-api'
 * const emitter = new EventEmitter<{ data: string }>()
 * emitter.on('data', (line) => console.log(line))
 * emitter.emit('data', 'hello')
 * ```
 */
export class EventEmitter<E extends Record<string, any>> {
  private readonly eventListeners = new Map<keyof E, Listener<any>[]>()

  /** The same as {@link EventEmitter.on}. */
  addListener<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    return this.on(eventName, listener)
  }

  /** The same as {@link EventEmitter.off}. */
  removeListener<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    return this.off(eventName, listener)
  }

  /**
   * Has `listener` called for each event of this name, after the listeners that are there already. One that is added twice is called
   * twice.
   *
   * @param eventName - The event to listen to.
   * @param listener - Gets the payload. What it throws is reported as an uncaught error, and the other listeners are called all the same.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * command.on('close', ({ code }) => console.log(`ended with ${code}`)).on('error', console.error)
   * ```
   */
  on<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    const present = this.eventListeners.get(eventName)
    if (present) present.push(listener)
    else this.eventListeners.set(eventName, [listener])
    return this
  }

  /**
   * Has `listener` called for the next event of this name only. As in the shell plugin, {@link EventEmitter.off} does not find a
   * listener that was added this way.
   *
   * @param eventName - The event to wait for.
   * @param listener - Gets the payload; it is taken off before it is called.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * command.stdout.once('data', (line) => console.log(`first line: ${line}`))
   * ```
   */
  once<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    return this.addListener(eventName, oneTime(this, eventName, listener))
  }

  /**
   * Takes `listener` off this event, wherever and as often as it was added. Nothing happens if it was not.
   *
   * @param eventName - The event to stop listening to.
   * @param listener - The very function that was added.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * const log = (line: string) => console.log(line)
   * command.stdout.on('data', log)
   * command.stdout.off('data', log)
   * ```
   */
  off<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    const present = this.eventListeners.get(eventName)
    // A new array, so that an event that is being emitted still reaches all that were there.
    if (present) this.eventListeners.set(eventName, present.filter((each) => each !== listener))
    return this
  }

  /**
   * Takes off all listeners of one event, or of every event.
   *
   * @param event - The event; every event when it is left out.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * command.stdout.removeAllListeners('data')
   * ```
   */
  removeAllListeners<N extends keyof E>(event?: N): this {
    if (event === undefined) this.eventListeners.clear()
    else this.eventListeners.delete(event)
    return this
  }

  /**
   * Calls the listeners of an event one after the other, before it returns.
   *
   * @param eventName - The event to emit.
   * @param arg - What each listener gets.
   * @returns Whether there were listeners.
   *
   * @example
   * ```typescript
   * const emitter = new EventEmitter<{ data: string }>()
   * emitter.emit('data', 'nobody hears this') // false
   * ```
   */
  emit<N extends keyof E>(eventName: N, arg: E[N]): boolean {
    const present = this.eventListeners.get(eventName)
    if (!present || present.length === 0) return false
    for (const listener of present) {
      try {
        listener(arg)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
    return true
  }

  /**
   * Tells how many listeners an event has.
   *
   * @param eventName - The event.
   * @returns Their number; one that was added twice counts twice.
   *
   * @example
   * ```typescript
   * command.on('close', () => {})
   * command.listenerCount('close') // 1
   * ```
   */
  listenerCount<N extends keyof E>(eventName: N): number {
    return this.eventListeners.get(eventName)?.length ?? 0
  }

  /**
   * Like {@link EventEmitter.on}, but before the listeners that are there already.
   *
   * @param eventName - The event to listen to.
   * @param listener - Gets the payload.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * command.prependListener('error', (error) => console.error('first to know:', error))
   * ```
   */
  prependListener<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    this.eventListeners.set(eventName, [listener, ...(this.eventListeners.get(eventName) ?? [])])
    return this
  }

  /**
   * Like {@link EventEmitter.once}, but before the listeners that are there already.
   *
   * @param eventName - The event to wait for.
   * @param listener - Gets the payload; it is taken off before it is called.
   * @returns This emitter, for chaining.
   *
   * @example
   * ```typescript
   * command.prependOnceListener('close', () => console.log('it is over'))
   * ```
   */
  prependOnceListener<N extends keyof E>(eventName: N, listener: (arg: E[N]) => void): this {
    return this.prependListener(eventName, oneTime(this, eventName, listener))
  }
}

/** A listener that takes itself off before it is called. */
function oneTime<E extends Record<string, any>, N extends keyof E>(
  emitter: EventEmitter<E>,
  eventName: N,
  listener: (arg: E[N]) => void
): (arg: E[N]) => void {
  const wrapper = (arg: E[N]) => {
    emitter.removeListener(eventName, wrapper)
    listener(arg)
  }
  return wrapper
}
