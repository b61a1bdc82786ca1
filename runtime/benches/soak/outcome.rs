//! Taking a child's output, and saying what it has to be.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::mpsc::Receiver;
use wasi_sidecar::{
    ChildStderr, ChildStdout, CommandEvent, ErrorKind, ExitStatus, Output, TerminatedPayload,
    Termination,
};

use crate::random::Random;

/// Longest pause of a reader that is slow.
const SLOW: Duration = Duration::from_millis(8);

/// Everything that came as events.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) stdout: Vec<Vec<u8>>,
    pub(crate) stderr: Vec<Vec<u8>>,
    pub(crate) errors: Vec<String>,
    pub(crate) end: TerminatedPayload,
}

/// All events, of which `Terminated` has to be the last, and the only one of its kind. Now and then nobody reads for a while.
pub(crate) async fn hear(mut events: Receiver<CommandEvent>, random: &mut Random) -> Result<Heard> {
    let mut heard = Heard::default();
    let mut ended = false;
    while let Some(event) = events.recv().await {
        ensure!(!ended, "there is an event after `Terminated`: {event:?}");
        match event {
            CommandEvent::Stdout(bytes) => heard.stdout.push(bytes),
            CommandEvent::Stderr(bytes) => heard.stderr.push(bytes),
            CommandEvent::Error(text) => heard.errors.push(text),
            CommandEvent::Terminated(end) => (heard.end, ended) = (end, true),
            other => bail!("an event that nobody knows: {other:?}"),
        }
        if random.once_in(256) {
            tokio::time::sleep(random.moment(SLOW)).await;
        }
    }
    ensure!(ended, "the events end without `Terminated`");
    Ok(heard)
}

impl Heard {
    /// What it has to have ended with, and what both numbers of that have to be.
    pub(crate) fn ended_as(&self, wanted: impl Fn(&Termination) -> bool) -> Result<()> {
        let end =
            self.end.termination.as_ref().with_context(|| format!("no end: {:?}", self.errors))?;
        ensure!(wanted(end), "it ended with {end:?}");
        let numbers = (self.end.code, self.end.signal);
        ensure!(numbers == numbers_of(end), "{end:?} has {numbers:?}");
        Ok(())
    }
}

fn numbers_of(end: &Termination) -> (Option<i32>, Option<i32>) {
    match end {
        Termination::Exited(code) => (Some(*code), None),
        Termination::Trapped(_) => (None, Some(6)),
        _ => (None, Some(9)),
    }
}

pub(crate) fn ended_as(status: &ExitStatus, wanted: impl Fn(&Termination) -> bool) -> Result<()> {
    let end = status.termination();
    ensure!(wanted(end), "it ended with {end:?}");
    let numbers = (status.code(), status.signal());
    ensure!(numbers == numbers_of(end), "{end:?} has {numbers:?}");
    Ok(())
}

/// Output that is all there and nothing else, of a program that has exited with this code.
pub(crate) fn is(output: &Output, code: i32, stdout: &[u8], stderr: &[u8]) -> Result<()> {
    ended_as(&output.status, |end| *end == Termination::Exited(code))
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    same("standard output", &output.stdout, stdout)?;
    same("standard error", &output.stderr, stderr)
}

pub(crate) fn same(what: &str, found: &[u8], wanted: &[u8]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let at = found.iter().zip(wanted).take_while(|(found, wanted)| found == wanted).count();
    let near = |bytes: &[u8]| {
        let part = &bytes[at.min(bytes.len())..bytes.len().min(at + 40)];
        String::from_utf8_lossy(part).into_owned()
    };
    bail!(
        "{what} of {} bytes, not {}, differs from byte {at} on: `{}`, not `{}`",
        found.len(),
        wanted.len(),
        near(found),
        near(wanted)
    )
}

/// Checks that bytes are those that `flood` writes from this place on.
pub(crate) fn is_flood(bytes: &[u8], from: usize) -> Result<()> {
    for (at, byte) in bytes.iter().enumerate() {
        let wanted = b'a' + ((from + at) % 26) as u8;
        ensure!(*byte == wanted, "byte {} of a flood is {byte}, not {wanted}", from + at);
    }
    Ok(())
}

/// Reads a flood to its end, or until so much has come; how much that was.
pub(crate) async fn read_flood(
    mut stream: impl Chunks,
    enough: usize,
    random: &mut Random,
) -> Result<usize> {
    let mut seen = 0;
    while seen < enough {
        let Some(bytes) = stream.next_chunk().await? else { break };
        is_flood(&bytes, seen)?;
        seen += bytes.len();
        if random.once_in(8) {
            tokio::time::sleep(random.moment(SLOW)).await;
        }
    }
    Ok(seen)
}

/// Both of a child's outputs.
pub(crate) trait Chunks {
    async fn next_chunk(&mut self) -> std::io::Result<Option<bytes::Bytes>>;
}

impl Chunks for ChildStdout {
    async fn next_chunk(&mut self) -> std::io::Result<Option<bytes::Bytes>> {
        self.chunk().await
    }
}

impl Chunks for ChildStderr {
    async fn next_chunk(&mut self) -> std::io::Result<Option<bytes::Bytes>> {
        self.chunk().await
    }
}

/// A write that cannot be done to its end because nobody reads any longer.
pub(crate) fn is_refused(written: wasi_sidecar::Result<()>) -> Result<()> {
    match written {
        Ok(()) => bail!("a write was taken that nobody has read"),
        Err(error) => {
            ensure!(error.kind() == ErrorKind::Closed, "the write failed with {}", error.chain());
            Ok(())
        }
    }
}
