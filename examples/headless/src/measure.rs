//! Running one child and measuring it from outside: when its first byte came, when it ended and how.
//!
//! The clock starts before `spawn`. A component's code is there by then: the scenes load it first, and say how long
//! that took, since an application pays for it once and not at every start.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, sync::mpsc, time};
use wasi_sidecar::{Command, CommandChild, CommandEvent, Framing, TerminatedPayload, Termination};

/// Longest wait for a child to do something. None needs a hundredth of it: this ends a demo that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child that runs.
pub(crate) struct Run {
    events: mpsc::Receiver<CommandEvent>,
    child: CommandChild,
    start: Instant,
    first_byte: Option<Duration>,
    bytes: u64,
    said: String,
    ended: Option<(TerminatedPayload, Duration)>,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) first_byte: Option<Duration>,
    pub(crate) total: Duration,
    /// Of standard output.
    pub(crate) bytes: u64,
    /// `None` for a native program.
    pub(crate) cpu: Option<Duration>,
    /// The most linear memory it held, likewise.
    pub(crate) memory: Option<u64>,
    pub(crate) ended: TerminatedPayload,
    /// What it wrote to standard error, and what the library told of its end.
    pub(crate) said: String,
}

impl Run {
    pub(crate) fn start(command: &mut Command, framing: Framing) -> Result<Run> {
        let start = Instant::now();
        let child = command.kill_on_drop(true).spawn()?;
        let (events, child) = child.into_events(framing);
        Ok(Run {
            events,
            child,
            start,
            first_byte: None,
            bytes: 0,
            said: String::new(),
            ended: None,
        })
    }

    /// Gives it all of its input, while its output is read elsewhere, and ends the input.
    pub(crate) fn feed(&mut self, input: String) {
        let Some(mut stdin) = self.child.take_stdin() else { return };
        tokio::spawn(async move {
            // A child that stops reading has ended, and how it did is what is looked at.
            let _ = stdin.write_all(input.as_bytes()).await;
        });
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = time::timeout(PATIENCE, self.child.write(bytes)).await;
        written.context("it did not read for a minute")?.context("it does not read its input")
    }

    pub(crate) fn close_input(&mut self) {
        self.child.close_stdin();
    }

    pub(crate) fn kill(&self) {
        self.child.start_kill();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What it writes next to standard output; `None` when it has ended.
    ///
    /// Cancel safe: nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        while self.ended.is_none() {
            let event = time::timeout(PATIENCE, self.events.recv()).await;
            match event.context("it wrote nothing for a minute")? {
                Some(CommandEvent::Stdout(bytes)) => {
                    self.first_byte.get_or_insert_with(|| self.start.elapsed());
                    self.bytes += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Some(CommandEvent::Stderr(bytes)) => {
                    self.said.push_str(&String::from_utf8_lossy(&bytes));
                }
                Some(CommandEvent::Error(text)) => self.said.push_str(&text),
                Some(CommandEvent::Terminated(end)) => {
                    self.ended = Some((end, self.start.elapsed()));
                }
                Some(_) => {}
                None => bail!("its events ended without its end"),
            }
        }
        Ok(None)
    }

    /// Reads what is left, and tells what was measured.
    pub(crate) async fn finish(mut self) -> Result<Facts> {
        while self.next().await?.is_some() {}
        let (ended, total) = self.ended.context("it has not ended")?;
        let usage = self.child.usage();
        Ok(Facts {
            first_byte: self.first_byte,
            total,
            bytes: self.bytes,
            cpu: usage.map(|usage| usage.cpu_time),
            memory: usage.map(|usage| usage.memory_peak),
            ended,
            said: self.said,
        })
    }
}

impl Facts {
    pub(crate) fn success(&self) -> bool {
        self.ended.code == Some(0)
    }

    /// How it ended, in a few words.
    pub(crate) fn end(&self) -> String {
        let why = match &self.ended.termination {
            Some(Termination::Exited(code)) => return format!("exit {code}"),
            Some(Termination::Trapped(_)) => "trap, ".to_owned(),
            Some(Termination::OutOf(limit)) => format!("out of {limit}, "),
            Some(Termination::Killed) => "killed, ".to_owned(),
            Some(_) => String::new(),
            None => return "could not be run".to_owned(),
        };
        let signal =
            self.ended.signal.map_or_else(|| "no signal".into(), |it| format!("signal {it}"));
        format!("{why}{signal}")
    }

    /// Counts a child that ran after this one as one with it.
    pub(crate) fn add(&mut self, next: Facts) {
        self.total += next.total;
        self.bytes += next.bytes;
        self.cpu = self.cpu.zip(next.cpu).map(|(one, other)| one + other);
        self.memory = self.memory.zip(next.memory).map(|(one, other)| one.max(other));
        self.said.push_str(&next.said);
        if self.success() {
            self.ended = next.ended;
        }
    }
}
