//! Functions that take paths: a path over the limit of a call ends the guest, as in a component.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as engine;

use super::{MODULE, State, check, lend};

/// `name(arguments) [lengths of paths]`
macro_rules! paths {
    ($linker:ident: $($name:ident($($argument:ident: $type:ty),*) [$($length:ident),*];)*) => {
        $($linker.func_wrap_async(
            MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State>, ($($argument,)*): ($($type,)*)| {
                Box::new(async move {
                    let (mut memory, state, most) = lend(&mut caller)?;
                    check(most, &[$($length),*])?;
                    engine::$name(state.preview1(), &mut memory, $($argument),*).await
                })
            },
        )?;)*
    };
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    paths! { linker:
        path_create_directory(dir: i32, path: i32, length: i32) [length];
        path_filestat_get(dir: i32, flags: i32, path: i32, length: i32, found: i32) [length];
        path_filestat_set_times(dir: i32, flags: i32, path: i32, length: i32, read: i64, written: i64, set: i32) [length];
        path_link(dir: i32, flags: i32, path: i32, length: i32, to_dir: i32, to: i32, to_length: i32) [length, to_length];
        path_readlink(dir: i32, path: i32, length: i32, to: i32, room: i32, used: i32) [length];
        path_remove_directory(dir: i32, path: i32, length: i32) [length];
        path_rename(dir: i32, path: i32, length: i32, to_dir: i32, to: i32, to_length: i32) [length, to_length];
        path_symlink(target: i32, target_length: i32, dir: i32, path: i32, length: i32) [target_length, length];
        path_unlink_file(dir: i32, path: i32, length: i32) [length];
    }
    Ok(())
}
