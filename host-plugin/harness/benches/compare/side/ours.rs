//! A component through this plugin.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use tauri::async_runtime::Receiver;
use tauri_plugin_wasi_sidecar::{
    SidecarExt,
    process::{Command, CommandChild, CommandEvent},
};
use wasi_sidecar::{
    ArtifactSource, Component, Engine, EngineConfig, LoadOptions, ambient_authority,
};

use super::{Bench, Take};

pub(crate) struct Running {
    events: Receiver<CommandEvent>,
    child: CommandChild,
}

pub(crate) fn command(bench: &Bench, name: &str, args: &[&str]) -> Result<Command> {
    let name = match name {
        "python" | "file-bench" => format!("bench/{name}"),
        _ => format!("guests/{name}"),
    };
    Ok(bench.app.sidecar(name)?.args(args))
}

pub(super) fn start(bench: &Bench, name: &str, args: &[&str], take: Take) -> Result<Running> {
    let command = command(bench, name, args)?.set_raw_out(take == Take::Raw);
    let (events, child) = command.spawn()?;
    Ok(Running { events, child })
}

pub(super) async fn compile(wasm: &Path) -> Result<f64> {
    let engine = Engine::new(&EngineConfig::new())?;
    let begin = Instant::now();
    Component::load(&engine, ArtifactSource::path(wasm, ambient_authority()), LoadOptions::new())?
        .compile()
        .await?;
    Ok(begin.elapsed().as_secs_f64())
}

/// The bytes of an event; `None` if it is the end, which has to be a good one.
fn output(event: Option<CommandEvent>) -> Result<Option<Vec<u8>>> {
    match event.context("the events end without `Terminated`")? {
        CommandEvent::Stdout(bytes) => Ok(Some(bytes)),
        CommandEvent::Terminated(end) => {
            ensure!(end.code == Some(0), "it ended with {end:?}");
            Ok(None)
        }
        other => bail!("unexpected: {other:?}"),
    }
}

impl Running {
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        output(self.events.recv().await)
    }

    pub(super) async fn next(&mut self) -> Result<Option<usize>> {
        Ok(self.line().await?.map(|bytes| bytes.len()))
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.child.write_async(bytes).await?)
    }

    pub(super) async fn end(mut self) -> Result<()> {
        self.child.close_stdin();
        while self.next().await?.is_some() {}
        Ok(())
    }

    pub(super) async fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        while let Some(event) = self.events.recv().await {
            if let CommandEvent::Terminated(end) = event {
                ensure!(end.signal == Some(9), "it had ended before: {end:?}");
                return Ok(());
            }
        }
        bail!("the events end without `Terminated`")
    }

    pub(super) async fn exchange(self, bytes: Vec<u8>, times: usize) -> Result<usize> {
        let Self { mut events, mut child } = self;
        let writing = tokio::spawn(async move {
            for _ in 0..times {
                child.write_async(&bytes).await?;
            }
            anyhow::Ok(())
        });
        let mut seen = 0;
        while let Some(bytes) = output(events.recv().await)? {
            seen += bytes.len();
        }
        writing.await??;
        Ok(seen)
    }
}
