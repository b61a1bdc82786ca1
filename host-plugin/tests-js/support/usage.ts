/**
 * An application written against the shell plugin: every export, method and overload that both packages have. types.test.ts
 * compiles it as it stands, and again with the import replaced by ours. Nothing here runs.
 */
import {
  Child,
  type ChildProcess,
  Command,
  type CommandEvents,
  EventEmitter,
  type IOPayload,
  type OutputEvents,
  type SpawnOptions,
  type TerminatedPayload
} from '@tauri-apps/plugin-shell'

const options: SpawnOptions = { cwd: '/notes', env: { A: '1' }, encoding: 'utf-8' }

export const commands: Command<string>[] = [
  Command.create('name'),
  Command.create('name', 'one'),
  Command.create('name', ['one', 'two'], options),
  Command.sidecar('name'),
  Command.sidecar('name', ['one'], { encoding: 'utf-16le' })
]

export const raw: Command<Uint8Array>[] = [
  Command.create('name', [], { encoding: 'raw' }),
  Command.sidecar('name', 'one', { encoding: 'raw', cwd: '/notes' })
]

export async function run<O extends IOPayload>(command: Command<O>, onData: (data: O) => void): Promise<number | null> {
  command
    .on('close', (payload: TerminatedPayload) => console.log(payload.code, payload.signal))
    .once('error', (error: string) => console.error(error))
  command.stdout.on('data', onData).prependListener('data', onData).off('data', onData)
  command.stderr.addListener('data', onData).removeListener('data', onData).prependOnceListener('data', onData).removeAllListeners()
  const stream: EventEmitter<OutputEvents<O>> = command.stdout
  const emitter: EventEmitter<CommandEvents> = command
  const count: number = stream.listenerCount('data') + emitter.listenerCount('close')
  const child: Child = await command.spawn()
  await child.write('text')
  await child.write(new Uint8Array([count]))
  await child.write([0, 1])
  await child.kill()
  await new Child(child.pid).kill()
  const output: ChildProcess<O> = await command.execute()
  onData(output.stdout)
  onData(output.stderr)
  return output.code ?? output.signal
}

export async function runBoth(): Promise<void> {
  await run(commands[0]!, (line) => line.trim())
  await run(raw[0]!, (bytes) => bytes.byteLength)
  const either: Command<IOPayload> = commands[0]!
  await either.spawn()
}

export class Progress extends EventEmitter<{ progress: number; done: string }> {
  step(): boolean {
    return this.emit('progress', 1) || this.emit('done', 'all')
  }
}

export function misuse(command: Command<string>, emitter: EventEmitter<{ a: string }>): void {
  // @ts-expect-error a command is made by `create` or `sidecar`
  new Command('name')
  // @ts-expect-error there is no such event
  command.on('exit', () => {})
  // @ts-expect-error a line is text
  command.stdout.on('data', (line: Uint8Array) => line)
  // @ts-expect-error the payload is text
  emitter.emit('a', 1)
  // @ts-expect-error the streams stay
  command.stdout = command.stderr
}
