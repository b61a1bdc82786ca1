//! Copies between our standard streams and the guest's, and counts the bytes.
//!
//! Each stream has a thread: reads from a terminal and writes to a full pipe block for as long as the other side likes,
//! and must not delay other streams or Ctrl-C. The threads are never joined. The process exits even if a read is still
//! blocked.

use std::{
    io::{self, Read as _},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use tokio::{io::AsyncWriteExt as _, runtime::Handle, sync::mpsc};
use wasi_sidecar::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::report;

/// Most bytes per read of standard input: as many as a guest's pipe holds.
const CHUNK: usize = 64 << 10;

/// Counters of the streams.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) stdin: AtomicU64,
    pub(crate) stdout: AtomicU64,
    pub(crate) stderr: AtomicU64,
    /// When the guest's first byte of output arrived.
    pub(crate) first: OnceLock<Instant>,
}

/// The end of an output stream: all of it was written and flushed, or our own stream failed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) name: &'static str,
    pub(crate) written: io::Result<()>,
}

/// Starts copying. The receiver gets one [`Ended`] for standard output and one for standard error.
///
/// # Errors
///
/// When the operating system has no threads left.
pub(crate) fn connect(
    child: &mut Child,
    counts: &Arc<Counts>,
) -> io::Result<mpsc::UnboundedReceiver<Ended>> {
    // Carries two messages at most.
    let (sender, ended) = mpsc::unbounded_channel();
    if let Some(stdin) = child.stdin.take() {
        let (handle, counts) = (Handle::current(), Arc::clone(counts));
        thread::Builder::new().spawn(move || feed(&handle, stdin, &counts))?;
    }
    let outputs =
        [child.stdout.take().map(Output::Stdout), child.stderr.take().map(Output::Stderr)];
    for mut output in outputs.into_iter().flatten() {
        let (handle, counts, sender) = (Handle::current(), Arc::clone(counts), sender.clone());
        thread::Builder::new().spawn(move || {
            let written = output.copy(&handle, &counts);
            // An error means that the process is about to exit.
            let _ = sender.send(Ended { name: output.name(), written });
        })?;
    }
    Ok(ended)
}

/// Copies standard input to the guest's, until either ends.
fn feed(handle: &Handle, mut stdin: ChildStdin, counts: &Counts) {
    let mut buffer = vec![0; CHUNK];
    let mut input = io::stdin().lock();
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let text = "failed to read standard input, and the guest sees its end";
                return report::warning(&format!("{text}: {error}"));
            }
        };
        // The guest has ended or closed its input.
        if handle.block_on(stdin.write_all(&buffer[..length])).is_err() {
            return;
        }
        counts.stdin.fetch_add(length as u64, Ordering::Relaxed);
    }
}

enum Output {
    Stdout(ChildStdout),
    Stderr(ChildStderr),
}

impl Output {
    fn name(&self) -> &'static str {
        match self {
            Self::Stdout(_) => "standard output",
            Self::Stderr(_) => "standard error",
        }
    }

    fn copy(&mut self, handle: &Handle, counts: &Counts) -> io::Result<()> {
        while let Some(chunk) = handle.block_on(self.chunk())? {
            let chunk = chunk.as_ref();
            counts.first.get_or_init(Instant::now);
            self.write(chunk)?;
            let count = match self {
                Self::Stdout(_) => &counts.stdout,
                Self::Stderr(_) => &counts.stderr,
            };
            count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn chunk(&mut self) -> io::Result<Option<impl AsRef<[u8]> + use<>>> {
        match self {
            Self::Stdout(stream) => stream.chunk().await,
            Self::Stderr(stream) => stream.chunk().await,
        }
    }

    /// Flushes each time, so that output appears as soon as a guest writes it, like a native program's flushed output.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        fn all(mut stream: impl io::Write, bytes: &[u8]) -> io::Result<()> {
            stream.write_all(bytes)?;
            stream.flush()
        }
        match self {
            Self::Stdout(_) => all(io::stdout().lock(), bytes),
            Self::Stderr(_) => all(io::stderr().lock(), bytes),
        }
    }
}
