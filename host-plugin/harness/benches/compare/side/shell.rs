//! The native program through the shell plugin.

use anyhow::{Context, Result, bail, ensure};
use tauri::async_runtime::Receiver;
use tauri_plugin_shell::{
    ShellExt,
    process::{Command, CommandChild, CommandEvent},
};

use super::{Bench, Guest, Take};

pub(crate) struct Running {
    events: Receiver<CommandEvent>,
    child: Option<CommandChild>,
    process: u32,
}

pub(crate) fn command(bench: &Bench, guest: &Guest, args: &[&str]) -> Command {
    let command = bench.app.shell().command(&guest.native).args(&guest.native_args).args(args);
    // What it would inherit otherwise would not be the same on two machines.
    let command = command.env_clear().envs(guest.native_env.iter().cloned());
    // A name without a folder is looked for in it.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default())
}

pub(super) fn start(bench: &Bench, guest: &Guest, args: &[&str], take: Take) -> Result<Running> {
    let (events, child) = command(bench, guest, args).set_raw_out(take == Take::Raw).spawn()?;
    let process = child.pid();
    Ok(Running { events, child: Some(child), process })
}

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
    pub(super) fn process(&self) -> u32 {
        self.process
    }

    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        output(self.events.recv().await)
    }

    pub(super) async fn next(&mut self) -> Result<Option<usize>> {
        Ok(self.line().await?.map(|bytes| bytes.len()))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.child.as_mut().context("its input is open")?.write(bytes)?)
    }

    pub(super) async fn end(mut self) -> Result<()> {
        // Its only way to end the input.
        self.child = None;
        while self.next().await?.is_some() {}
        Ok(())
    }

    pub(super) async fn kill(mut self) -> Result<()> {
        self.child.take().context("it runs")?.kill()?;
        while let Some(event) = self.events.recv().await {
            if matches!(event, CommandEvent::Terminated(_)) {
                return Ok(());
            }
        }
        bail!("the events end without `Terminated`")
    }

    pub(super) async fn exchange(self, bytes: Vec<u8>, times: usize) -> Result<usize> {
        let Self { mut events, child, .. } = self;
        let mut child = child.context("its input is open")?;
        // It writes on the calling thread, so that thread is another one than the one that reads.
        let writing = tokio::task::spawn_blocking(move || {
            for _ in 0..times {
                child.write(&bytes)?;
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
