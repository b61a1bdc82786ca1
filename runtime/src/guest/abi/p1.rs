//! WASI 0.1 (preview1): a command module that exports `_start`.

use wasmtime::{Engine, InstancePre, Module, Store};
use wasmtime_wasi::{I32Exit, p1};

use super::not_a_command;
use crate::guest::store::{self, State};

/// The host functions that a module can import.
pub(in crate::guest) type Linker = wasmtime::Linker<State>;

/// A module that is linked to the host.
#[derive(Clone)]
pub(crate) struct Command(InstancePre<State>);

pub(in crate::guest) fn linker(engine: &Engine) -> wasmtime::Result<Linker> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, State::preview1)?;
    store::link_preview1(&mut linker)?;
    linker.allow_shadowing(true);
    // wasmtime-wasi turns exit codes from 126 on into traps, but a native program has 256 exit codes.
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_exit",
        |code: i32| -> wasmtime::Result<()> { Err(wasmtime::Error::new(I32Exit(code & 0xff))) },
    )?;
    linker.allow_shadowing(false);
    Ok(linker)
}

impl Command {
    pub(in crate::guest) fn link(linker: &Linker, module: &Module) -> wasmtime::Result<Self> {
        linker.instantiate_pre(module).map(Self)
    }

    /// The machine code, for loading it into another engine. Only a build with the compiler can write a module's.
    #[cfg(feature = "compiler")]
    pub(in crate::guest) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        self.0.module().serialize()
    }

    #[cfg(not(feature = "compiler"))]
    pub(in crate::guest) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        Err(wasmtime::Error::msg("a module cannot be written without the compiler"))
    }

    /// Calls `_start`. A module that returns has exit code 0. `proc_exit` is an error that carries the code.
    pub(in crate::guest) async fn call(&self, store: &mut Store<State>) -> wasmtime::Result<i32> {
        let instance = self.0.instantiate_async(&mut *store).await?;
        let start =
            instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(not_a_command)?;
        start.call_async(store, ()).await?;
        Ok(0)
    }
}
