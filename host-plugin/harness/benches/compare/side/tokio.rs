//! The native program through `tokio::process`, read in the largest pieces there are.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{Guest, Reading, Take};

pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Reading<ChildStdout>,
}

pub(crate) fn command(guest: &Guest, args: &[&str]) -> Command {
    let mut command = Command::new(&guest.native);
    command.args(&guest.native_args).args(args);
    command.env_clear().envs(guest.native_env.iter().cloned());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(super) fn start(guest: &Guest, args: &[&str], take: Take) -> Result<Running> {
    let mut child = command(guest, args).spawn()?;
    let stdin = child.stdin.take();
    let stdout = Reading::new(child.stdout.take().context("piped")?, take);
    Ok(Running { child, stdin, stdout })
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
        let status = self.child.wait().await?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    pub(super) async fn kill(mut self) -> Result<()> {
        self.child.start_kill()?;
        let status = self.child.wait().await?;
        ensure!(!status.success(), "it had ended before");
        Ok(())
    }

    pub(super) async fn exchange(self, bytes: Vec<u8>, times: usize) -> Result<usize> {
        let Self { mut child, stdin, mut stdout } = self;
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
        child.wait().await?;
        Ok(seen)
    }
}
