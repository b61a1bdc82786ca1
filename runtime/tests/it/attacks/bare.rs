//! The same attack on the engine as an embedder gets it who sets nothing: wasmtime and wasmtime-wasi with their defaults.
//!
//! Only for attacks that end by themselves, and whose outcome is documented by the engine.

use std::{
    path::Path,
    sync::{LazyLock, Mutex},
};

use wasi_sidecar::Access;
use wasmtime::{
    Engine, Linker, Module, Store, Trap,
    component::{self, Component},
};
use wasmtime_wasi::{
    FsPerms, I32Exit, WasiCtxBuilder, WasiCtxView, WasiView,
    p1::{self, WasiP1Ctx},
    p2::{bindings::sync::Command, pipe::MemoryOutputPipe},
};

/// Bytes of output that are kept.
const MAX_OUTPUT: usize = 1 << 20;

/// What was compiled last: most rows of a table run the same program.
#[derive(Default)]
struct Known {
    engine: Engine,
    last: Mutex<Option<(Vec<u8>, Component)>>,
}

impl Known {
    fn component(&self, wasm: &[u8]) -> wasmtime::Result<Component> {
        let mut last = self.last.lock().unwrap();
        if let Some((_, component)) = last.as_ref().filter(|(known, _)| known == wasm) {
            return Ok(component.clone());
        }
        let component = Component::from_binary(&self.engine, wasm)?;
        *last = Some((wasm.to_vec(), component.clone()));
        Ok(component)
    }
}

struct Bare(WasiP1Ctx);

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.0.ctx()
    }
}

/// What it wrote, and how it ended in the words of the report.
pub(super) fn run(
    wasm: &[u8],
    args: &[&str],
    granted: Option<(&Path, Access)>,
) -> (String, String) {
    // On a thread of its own: the engine's functions that block want no runtime around them.
    std::thread::scope(|scope| scope.spawn(|| run_here(wasm, args, granted)).join()).unwrap()
}

fn run_here(wasm: &[u8], args: &[&str], granted: Option<(&Path, Access)>) -> (String, String) {
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

    let engine = &KNOWN.engine;
    let stdout = MemoryOutputPipe::new(MAX_OUTPUT);
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg("guest").args(args).stdout(stdout.clone());
    if let Some((path, access)) = granted {
        let access = match access {
            Access::ReadOnly => FsPerms::ReadOnly,
            Access::ReadWrite => FsPerms::ReadWrite,
        };
        wasi.preopened_dir(path, "/data", access).unwrap();
    }
    let mut store = Store::new(engine, Bare(wasi.build_p1()));
    let ended = match wasmparser::Parser::is_component(wasm) {
        true => KNOWN.component(wasm).and_then(|it| run_component(engine, &mut store, &it)),
        false => run_module(engine, &mut store, wasm),
    };
    drop(store);
    let said = String::from_utf8_lossy(&stdout.contents()).into_owned();
    (said, ended.map_or_else(|error| end(&error), |()| "exit 0".into()))
}

fn run_component(
    engine: &Engine,
    store: &mut Store<Bare>,
    component: &Component,
) -> wasmtime::Result<()> {
    let mut linker = component::Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let command = Command::instantiate(&mut *store, component, &linker)?;
    match command.wasi_cli_run().call_run(store)? {
        Ok(()) => Ok(()),
        Err(()) => Err(I32Exit(1).into()),
    }
}

fn run_module(engine: &Engine, store: &mut Store<Bare>, wasm: &[u8]) -> wasmtime::Result<()> {
    let module = Module::from_binary(engine, wasm)?;
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |state: &mut Bare| &mut state.0)?;
    let instance = linker.instantiate(&mut *store, &module)?;
    instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ())
}

fn end(error: &wasmtime::Error) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return format!("exit {code}");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => format!("trap: {}", trap.to_string().trim_start_matches("wasm trap: ")),
        None => format!("trap: {}", error.root_cause()),
    }
}
