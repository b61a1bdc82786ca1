/**
 * PARITY 35, for the compiler: whoever has a type of the shell plugin's gets by with ours. Nothing here runs.
 *
 * Classes with private members are never assignable to each other, so what is compared is `Shape`, which drops them, all the way
 * down. It also merges overloads and generic methods; those are compared by compiling usage.ts, in types.test.ts.
 */
import type * as Shell from '@tauri-apps/plugin-shell'
import type * as Ours from '../guest-js/index.js'

type Shape<T> = T extends string | number | boolean | null | undefined | Uint8Array
  ? T
  : T extends (...args: infer A) => infer R
    ? (...args: A) => R extends Promise<infer P> ? Promise<Shape<P>> : Shape<R>
    : { [K in keyof T]: Shape<T[K]> }

/** Compiles if `A` can stand where `B` is wanted. */
type Fits<A extends B, B> = A

export type Instances = [
  Fits<Shape<Ours.Command<string>>, Shape<Shell.Command<string>>>,
  Fits<Shape<Ours.Command<Uint8Array>>, Shape<Shell.Command<Uint8Array>>>,
  Fits<Shape<Ours.Child>, Shape<Shell.Child>>,
  Fits<Shape<Ours.EventEmitter<{ a: string; b: number }>>, Shape<Shell.EventEmitter<{ a: string; b: number }>>>
]

export type Types = [
  Fits<Ours.IOPayload, Shell.IOPayload>,
  Fits<Ours.CommandEvents, Shell.CommandEvents>,
  Fits<Ours.TerminatedPayload, Shell.TerminatedPayload>,
  Fits<Ours.OutputEvents<string>, Shell.OutputEvents<string>>,
  Fits<Ours.OutputEvents<Uint8Array>, Shell.OutputEvents<Uint8Array>>,
  Fits<Ours.ChildProcess<string>, Shell.ChildProcess<string>>,
  Fits<Ours.ChildProcess<Uint8Array>, Shell.ChildProcess<Uint8Array>>,
  Fits<Ours.SpawnOptions, Shell.SpawnOptions>
]

/** The other way round, what an application makes by itself is taken by ours. */
export type Inputs = [
  Fits<Shell.IOPayload, Ours.IOPayload>,
  Fits<Shell.SpawnOptions, Ours.SpawnOptions>,
  Fits<Shell.SpawnOptions, Ours.CommandOptions>,
  Fits<Shell.TerminatedPayload, Ours.TerminatedPayload>,
  Fits<Shell.ChildProcess<string>, Ours.ChildProcess<string>>,
  Fits<ConstructorParameters<typeof Shell.Child>, ConstructorParameters<typeof Ours.Child>>
]

/** That the comparison can fail: each line must be an error. */
export type Controls = [
  // @ts-expect-error the payload of the streams differs
  Fits<Shape<Ours.Command<string>>, Shape<Shell.Command<Uint8Array>>>,
  // @ts-expect-error `execute` of bytes gives no text
  Fits<ReturnType<Shape<Ours.Command<Uint8Array>>['execute']>, ReturnType<Shape<Shell.Command<string>>['execute']>>,
  // @ts-expect-error a child of the shell plugin's cannot wait
  Fits<Shape<Shell.Child>, Shape<Ours.Child>>,
  // @ts-expect-error the events differ
  Fits<Shape<Ours.EventEmitter<{ a: string }>>, Shape<Shell.EventEmitter<{ a: number }>>>,
  // @ts-expect-error privates make classes differ, which is why shapes are compared
  Fits<Ours.Child, Shell.Command<string>>
]

/** What is ours alone. */
export async function additions(command: Ours.Command<Uint8Array>, child: Ours.Child): Promise<void> {
  for await (const bytes of command.stdout) bytes satisfies Uint8Array
  const { reason } = await child.wait()
  reason satisfies string | null | undefined
  child.backend satisfies 'component' | 'native' | undefined
  // @ts-expect-error it is known from the start
  child.backend = 'native'
  await child.closeStdin()
}
