//! WASI 0.2: a component that exports `wasi:cli/run`.

use wasmtime::{Engine, Store, component::Component};
use wasmtime_wasi::p2::{self, bindings};

use super::not_a_command;
use crate::guest::store::{self, State};

/// The host functions that a component can import.
pub(in crate::guest) type Linker = wasmtime::component::Linker<State>;

/// A component that is linked to the host.
#[derive(Clone)]
pub(crate) struct Command(bindings::CommandPre<State>);

pub(in crate::guest) fn linker(engine: &Engine) -> wasmtime::Result<Linker> {
    let mut linker = Linker::new(engine);
    p2::add_to_linker_async(&mut linker)?;
    store::link(&mut linker)?;
    Ok(linker)
}

impl Command {
    pub(in crate::guest) fn link(linker: &Linker, component: &Component) -> wasmtime::Result<Self> {
        let linked = linker.instantiate_pre(component)?;
        bindings::CommandPre::new(linked).map(Self)
    }

    /// The machine code, for loading it into another engine.
    pub(in crate::guest) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        self.0.instance_pre().component().serialize()
    }

    /// Calls `run`. An error result is exit code 1. `exit-with-code` is an error that carries the code.
    pub(in crate::guest) async fn call(&self, store: &mut Store<State>) -> wasmtime::Result<i32> {
        let instance = self.0.instance_pre().instantiate_async(&mut *store).await?;
        let command = bindings::Command::new(&mut *store, &instance).map_err(not_a_command)?;
        let run = command.wasi_cli_run().call_run(store).await?;
        Ok(i32::from(run.is_err()))
    }
}
