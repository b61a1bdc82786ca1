//! The native program through `tokio::process`, read in the largest pieces there are.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{Guest, Take};

pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    take: Take,
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
    let stdout = BufReader::with_capacity(65_536, child.stdout.take().context("piped")?);
    Ok(Running { child, stdin, stdout, take })
}

impl Running {
    /// Each line as bytes of its own, as an event is.
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.stdout.read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then_some(line))
    }

    pub(super) async fn next(&mut self) -> Result<Option<usize>> {
        let length = match self.take {
            Take::Lines => self.line().await?.map_or(0, |line| line.len()),
            Take::Raw => {
                let length = self.stdout.fill_buf().await?.len();
                self.stdout.consume(length);
                length
            }
        };
        Ok((length > 0).then_some(length))
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
        let Self { mut child, stdin, stdout, .. } = self;
        let mut stdin = stdin.context("its input is open")?;
        let mut stdout = stdout.into_inner();
        let writing = tokio::spawn(async move {
            for _ in 0..times {
                stdin.write_all(&bytes).await?;
            }
            anyhow::Ok(())
        });
        let (mut seen, mut buffer) = (0, vec![0; 65_536]);
        loop {
            match stdout.read(&mut buffer).await? {
                0 => break,
                length => seen += length,
            }
        }
        writing.await??;
        child.wait().await?;
        Ok(seen)
    }
}
