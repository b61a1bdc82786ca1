//! The component through wasmtime-wasi as its documentation shows: the default configuration, and the stock streams over a
//! pipe of tokio's.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{
    WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    cli::{AsyncStdinStream, AsyncStdoutStream},
    p2::bindings::CommandPre,
};

use super::{PIPE, Reading, Take, guest};

pub(super) struct Bare {
    engine: Engine,
    linker: Linker<State>,
    loaded: Mutex<HashMap<String, Arc<CommandPre<State>>>>,
}

pub(super) struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

pub(crate) struct Running {
    stdin: Option<DuplexStream>,
    stdout: Reading<DuplexStream>,
    guest: JoinHandle<Result<()>>,
}

/// Compiles from nothing, as it comes.
pub(super) fn compile(wasm: &Path) -> Result<f64> {
    let engine = Engine::new(&Config::new()).map_err(told)?;
    let begin = Instant::now();
    Component::from_binary(&engine, &std::fs::read(wasm)?).map_err(told)?;
    Ok(begin.elapsed().as_secs_f64())
}

fn told(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

impl Bare {
    pub(super) fn new() -> Result<Self> {
        let engine = Engine::new(&Config::new()).map_err(told)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(told)?;
        Ok(Self { engine, linker, loaded: Mutex::default() })
    }

    pub(super) fn load(&self, name: &str) -> Result<Arc<CommandPre<State>>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(command) = loaded.get(name) {
            return Ok(Arc::clone(command));
        }
        let wasm = std::fs::read(guest(name)?.wasm)?;
        let command = Component::from_binary(&self.engine, &wasm)
            .and_then(|component| self.linker.instantiate_pre(&component))
            .and_then(CommandPre::new);
        let command = Arc::new(command.map_err(told)?);
        loaded.insert(name.to_owned(), Arc::clone(&command));
        Ok(command)
    }

    pub(super) fn start(&self, name: &str, args: &[&str], take: Take) -> Result<Running> {
        let command = self.load(name)?;
        let (stdin, guest_in) = duplex(PIPE);
        let (guest_out, stdout) = duplex(PIPE);
        let ctx = WasiCtxBuilder::new()
            .arg(name)
            .args(args)
            .stdin(AsyncStdinStream::new(guest_in))
            .stdout(AsyncStdoutStream::new(PIPE, guest_out))
            .build();
        let mut store = Store::new(&self.engine, State { ctx, table: ResourceTable::new() });
        let guest = tokio::spawn(async move {
            let command = command.instantiate_async(&mut store).await.map_err(told)?;
            let run = command.wasi_cli_run().call_run(&mut store).await.map_err(told)?;
            ensure!(run.is_ok(), "it failed");
            Ok(())
        });
        let stdout = Reading::new(stdout, take);
        Ok(Running { stdin: Some(stdin), stdout, guest })
    }
}

impl Running {
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        self.stdout.line().await
    }

    pub(super) async fn next(&mut self) -> Result<Option<usize>> {
        self.stdout.next().await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stdin.as_mut().context("its input is open")?.write_all(bytes).await?)
    }

    pub(super) async fn end(mut self) -> Result<()> {
        self.stdin = None;
        while self.next().await?.is_some() {}
        self.guest.await?
    }

    pub(super) async fn exchange(self, bytes: Vec<u8>, times: usize) -> Result<usize> {
        let Self { stdin, mut stdout, guest } = self;
        let mut stdin = stdin.context("its input is open")?;
        let writing = tokio::spawn(async move {
            for _ in 0..times {
                stdin.write_all(&bytes).await?;
            }
            anyhow::Ok(())
        });
        let mut seen = 0;
        while let Some(length) = stdout.next().await? {
            seen += length;
        }
        writing.await??;
        guest.await??;
        Ok(seen)
    }
}
