//! A child's output as events, in the shape `tauri-plugin-shell` gave them.

use std::{collections::VecDeque, pin::pin, time::Duration};

use bytes::Bytes;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use crate::{
    Backend, ChildId, ChildStdin, Error, ErrorKind, ExitStatus, LineSplitter, Result, Termination,
    Usage,
    imp::{Guard, Process},
    streams::Stream,
};

/// Events in the channel at most. Deep, because handing over one line at a time is what makes lines slow.
const MAX_EVENTS: usize = 1024;

/// Bytes in the channel at most: four full pipes. A single larger line may be in it alone.
const MAX_EVENT_BYTES: usize = 256 << 10;

/// Events that are handed over together at most. A receiver that sleeps is woken by the first of them, which costs more than
/// a dozen events do; one that is given them one by one, as they are cut, sleeps again between them.
const MAX_BATCH: usize = MAX_EVENTS / 4;

/// Bytes from which on no more are gathered.
const FULL_BATCH: usize = MAX_EVENT_BYTES / 4;

/// Below this many bytes an event gets memory of its own.
const SMALL_EVENT: usize = 16 << 10;

/// How long the output of a killed child is waited for. A process it started can hold its streams for ever.
const KILLED_OUTPUT: Duration = Duration::from_millis(200);

/// How output is cut into events.
///
/// ```
/// # fn events(child: wasi_sidecar::Child) {
/// use wasi_sidecar::Framing;
///
/// assert_eq!(Framing::default(), Framing::lines());
/// let (events, child) = child.into_events(Framing::lines().max_line(64 << 10));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// One event a line, terminator included: `\n`, `\r\n`, or a lone `\r`; the same lines however the bytes
    /// arrive. The last line may have none.
    #[non_exhaustive]
    Lines {
        /// Bytes of a line that are delivered whole; a longer line comes in pieces of this size.
        max: usize,
        /// How long an unfinished line is held back; for ever if not given.
        partial_after: Option<Duration>,
    },
    /// Whole lines like [`Lines`](Self::Lines), as many in one event as have come together: for whoever passes them on or cuts
    /// them itself. Several times as fast as an event for each.
    #[non_exhaustive]
    LineBlocks {
        /// Bytes of a line that is not finished; a longer one comes in pieces.
        max: usize,
    },
    /// Bytes as they arrive.
    Raw,
}

impl Framing {
    /// Longest line that is delivered whole, unless it is told otherwise: 16 MiB.
    pub const MAX_LINE: usize = 16 << 20;

    /// Lines of at most 16 MiB; an unfinished one is held back until it is finished.
    #[must_use]
    pub const fn lines() -> Self {
        Self::Lines { max: Self::MAX_LINE, partial_after: None }
    }

    /// Blocks of whole lines, of at most 16 MiB each line.
    #[must_use]
    pub const fn line_blocks() -> Self {
        Self::LineBlocks { max: Self::MAX_LINE }
    }

    /// Delivers lines of up to `bytes` whole, and longer ones in pieces of that size.
    #[must_use]
    pub const fn max_line(self, bytes: usize) -> Self {
        match self {
            Self::Lines { partial_after, .. } => Self::Lines { max: bytes, partial_after },
            Self::LineBlocks { .. } => Self::LineBlocks { max: bytes },
            Self::Raw => Self::Raw,
        }
    }

    /// Delivers what has come of a line when nothing was added to it for this long: a prompt without a line end, or a
    /// progress bar. The rest of that line is then an event of its own.
    #[must_use]
    pub const fn partial_after(self, quiet: Duration) -> Self {
        match self {
            Self::Lines { max, .. } => Self::Lines { max, partial_after: Some(quiet) },
            Self::LineBlocks { .. } | Self::Raw => self,
        }
    }
}

impl Default for Framing {
    fn default() -> Self {
        Self::lines()
    }
}

/// Something a child did.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
/// #     (memory (export "memory") 1)
/// #     (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
/// #     (func (export "_start")
/// #         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#).unwrap();
/// # let engine = wasi_sidecar::Engine::new(&wasi_sidecar::EngineConfig::new())?;
/// # let component = wasi_sidecar::Component::new(&engine, wasm)?;
/// use wasi_sidecar::{Command, CommandEvent, Framing};
///
/// let (mut events, _child) = Command::new(component).spawn()?.into_events(Framing::lines());
/// assert_eq!(events.recv().await, Some(CommandEvent::Stdout(b"hello\n".to_vec())));
/// let Some(CommandEvent::Terminated(end)) = events.recv().await else { panic!("it goes on") };
/// assert_eq!(end.code, Some(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandEvent {
    /// It wrote to standard output.
    Stdout(Vec<u8>),
    /// It wrote to standard error.
    Stderr(Vec<u8>),
    /// Something went wrong that is not the child's output: the text of a trap or of an exhausted limit, with
    /// the names of its setting, or a stream that could not be read.
    Error(String),
    /// It has ended. Comes once, and last.
    Terminated(TerminatedPayload),
}

/// How a child ended.
///
/// ```
/// use wasi_sidecar::TerminatedPayload;
///
/// fn describe(end: &TerminatedPayload) -> String {
///     match (end.code, end.signal) {
///         (Some(code), _) => format!("exit code {code}"),
///         (None, Some(signal)) => format!("signal {signal}"),
///         (None, None) => "could not be run".to_owned(),
///     }
/// }
/// assert_eq!(describe(&TerminatedPayload::default()), "could not be run");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TerminatedPayload {
    /// Its exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it, or that stands for what did; see [`ExitStatus`].
    pub signal: Option<i32>,
    /// Why it ended; `None` when it could not be run to an end, which an
    /// [`Error`](CommandEvent::Error) before this event explains.
    pub termination: Option<Termination>,
}

impl From<ExitStatus> for TerminatedPayload {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            signal: status.signal(),
            termination: Some(status.termination().clone()),
        }
    }
}

/// What is left of a child whose output became events: its input, and the means to end it.
///
/// Dropping it closes the child's input and lets the child run on, unless kill on drop was asked for.
///
/// ```
/// # async fn ask(child: wasi_sidecar::Child) -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::Framing;
///
/// let (mut events, mut child) = child.into_events(Framing::lines());
/// child.write(b"a question\n").await?;
/// let answer = events.recv().await;
/// child.kill().await
/// # }
/// ```
#[derive(Debug)]
pub struct CommandChild {
    id: ChildId,
    stdin: Option<ChildStdin>,
    guard: Guard,
}

impl CommandChild {
    pub(crate) fn new(id: ChildId, stdin: Option<ChildStdin>, guard: Guard) -> Self {
        Self { id, stdin, guard }
    }

    /// Its name among the children of this process.
    #[must_use]
    pub fn id(&self) -> ChildId {
        self.id
    }

    /// What runs it.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.guard.process.backend
    }

    /// What it has used so far; `None` for a native child.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.guard.process.usage()
    }

    /// Writes all of `bytes` to its input, waiting while it does not read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] when its input was closed, is not piped, or the child has ended.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: some of the bytes may have been written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        use tokio::io::AsyncWriteExt;

        let Some(stdin) = &mut self.stdin else {
            return Err(Error::new(ErrorKind::Closed, "the child's input is closed"));
        };
        let written = async {
            stdin.write_all(bytes).await?;
            stdin.flush().await
        };
        written.await.map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Error::with(ErrorKind::Closed, "broken pipe", error),
            _ => Error::io("write to the child's input", error),
        })
    }

    /// Takes its input, to write to it elsewhere.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Ends its input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Asks for its end and returns at once; [`Terminated`](CommandEvent::Terminated) still comes.
    pub fn start_kill(&self) {
        self.guard.process.kill();
    }

    /// Asks for its end and waits for it.
    ///
    /// # Errors
    ///
    /// Those of [`Child::wait`](crate::Child::wait).
    pub async fn kill(self) -> Result<()> {
        self.start_kill();
        self.guard.process.wait().await.map(drop)
    }
}

/// Starts to turn streams into events, and those into what the receiver wants.
pub(crate) fn pump<T: Send + 'static>(
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    process: Process,
    framing: Framing,
    map: fn(CommandEvent) -> T,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    let task = run(
        Source::new(stdout, framing, CommandEvent::Stdout),
        Source::new(stderr, framing, CommandEvent::Stderr),
        process.clone(),
        Sender { channel: sender, map, batch: Vec::new(), sizes: VecDeque::new(), bytes: 0 },
    );
    // Beside the guest if it is one: handing its output to a thread that sleeps takes longer than cutting it into lines.
    match (process.backend, Handle::try_current()) {
        (Backend::Native, Ok(runtime)) => drop(runtime.spawn(task)),
        _ => process.on_engine(task),
    }
    receiver
}

async fn run<T: Send>(
    mut stdout: Source,
    mut stderr: Source,
    process: Process,
    mut events: Sender<T>,
) {
    // A component's streams end with it. What a native program started can hold them for ever.
    let mut given_up = pin!(async {
        match process.backend {
            Backend::Native => process.control().killed().await,
            _ => std::future::pending().await,
        }
        let _ = process.wait().await;
        tokio::time::sleep(KILLED_OUTPUT).await;
    });
    while !(stdout.ended() && stderr.ended()) {
        let (stdout_due, stderr_due) = (stdout.due, stderr.due);
        tokio::select! {
            read = stdout.read(), if !stdout.ended() => events.forward(&mut stdout, read).await,
            read = stderr.read(), if !stderr.ended() => events.forward(&mut stderr, read).await,
            () = quiet(stdout_due) => events.forward_partial(&mut stdout).await,
            () = quiet(stderr_due) => events.forward_partial(&mut stderr).await,
            () = &mut given_up => {
                for source in [&mut stdout, &mut stderr] {
                    source.stream = None;
                    events.forward(source, Ok(())).await;
                }
            }
        }
    }
    let payload = match process.wait().await {
        Ok(status) => {
            let refused = process.usage().and_then(|usage| usage.refused);
            if let Some(text) = status.termination().explained(refused) {
                events.send(CommandEvent::Error(text)).await;
            }
            status.into()
        }
        Err(error) => {
            events.send(CommandEvent::Error(error.chain())).await;
            TerminatedPayload::default()
        }
    };
    events.send(CommandEvent::Terminated(payload)).await;
}

/// Waits for the moment at which an unfinished line is delivered as it is; for ever if there is none.
async fn quiet(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// One of the two streams, and how its bytes become events.
struct Source {
    stream: Option<Stream>,
    framing: Frames,
    partial_after: Option<Duration>,
    /// When the unfinished line that is held is delivered as it is.
    due: Option<Instant>,
    event: fn(Vec<u8>) -> CommandEvent,
}

enum Frames {
    Lines(LineSplitter),
    Blocks(LineSplitter),
    Raw(Option<Bytes>),
}

impl Source {
    fn new(stream: Option<Stream>, framing: Framing, event: fn(Vec<u8>) -> CommandEvent) -> Self {
        let (framing, partial_after) = match framing {
            Framing::Lines { max, partial_after } => {
                (Frames::Lines(LineSplitter::new(max)), partial_after)
            }
            Framing::LineBlocks { max } => (Frames::Blocks(LineSplitter::new(max)), None),
            Framing::Raw => (Frames::Raw(None), None),
        };
        Self { stream, framing, partial_after, due: None, event }
    }

    fn ended(&self) -> bool {
        self.stream.is_none()
    }

    /// Reads the next bytes. At the end, and after an error, the stream is gone. Cancel safe.
    async fn read(&mut self) -> std::io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let read = stream.chunk().await;
        match read {
            Ok(Some(chunk)) => match &mut self.framing {
                Frames::Lines(lines) | Frames::Blocks(lines) => lines.push(chunk),
                Frames::Raw(slot) => *slot = Some(chunk),
            },
            Ok(None) => self.stream = None,
            Err(error) => {
                self.stream = None;
                return Err(error);
            }
        }
        Ok(())
    }

    fn event(&mut self) -> Option<CommandEvent> {
        let bytes = match &mut self.framing {
            Frames::Lines(lines) if self.stream.is_some() => lines.next(),
            Frames::Blocks(lines) if self.stream.is_some() => lines.next_block(),
            Frames::Lines(lines) | Frames::Blocks(lines) => lines.finish(),
            Frames::Raw(slot) => slot.take(),
        };
        self.due = match &self.framing {
            Frames::Lines(lines) if bytes.is_none() && lines.held() > 0 => {
                // A moment beyond what the clock can say never comes.
                self.partial_after.and_then(|quiet| Instant::now().checked_add(quiet))
            }
            _ => None,
        };
        bytes.map(|bytes| self.wrap(bytes))
    }

    /// What has come of an unfinished line.
    fn partial(&mut self) -> Option<CommandEvent> {
        self.due = None;
        let Frames::Lines(lines) = &mut self.framing else { return None };
        let bytes = lines.take_partial()?;
        Some(self.wrap(bytes))
    }

    fn wrap(&self, bytes: Bytes) -> CommandEvent {
        // A short piece of a large buffer would keep all of it alive for as long as the event lives.
        let bytes = if bytes.len() < SMALL_EVENT { bytes.to_vec() } else { bytes.into() };
        (self.event)(bytes)
    }
}

/// A channel bounded in bytes as well as in messages.
struct Sender<T> {
    channel: mpsc::Sender<T>,
    map: fn(CommandEvent) -> T,
    /// What is sent next, in order, and the size of each.
    batch: Vec<(CommandEvent, usize)>,
    /// Sizes of the events in the channel, oldest first.
    sizes: VecDeque<usize>,
    /// Their sum.
    bytes: usize,
}

impl<T> Sender<T> {
    /// Sends what a source has after a read.
    async fn forward(&mut self, source: &mut Source, read: std::io::Result<()>) {
        if let Err(error) = read {
            self.send(CommandEvent::Error(error.to_string())).await;
        }
        loop {
            let mut bytes = 0;
            while self.batch.len() < MAX_BATCH && bytes < FULL_BATCH {
                let Some(event) = source.event() else { break };
                bytes += self.add(event);
            }
            if self.batch.is_empty() {
                return;
            }
            self.send_batch(bytes).await;
        }
    }

    async fn forward_partial(&mut self, source: &mut Source) {
        if let Some(event) = source.partial() {
            self.send(event).await;
        }
    }

    async fn send(&mut self, event: CommandEvent) {
        let bytes = self.add(event);
        self.send_batch(bytes).await;
    }

    /// Adds an event to those that are sent next; how many bytes it has.
    fn add(&mut self, event: CommandEvent) -> usize {
        let size = match &event {
            CommandEvent::Stdout(bytes) | CommandEvent::Stderr(bytes) => bytes.len(),
            CommandEvent::Error(text) => text.len(),
            CommandEvent::Terminated(_) => 0,
        };
        self.batch.push((event, size));
        size
    }

    /// Waits for room and sends. Without a receiver the events are thrown away.
    async fn send_batch(&mut self, bytes: usize) {
        self.wait_for_room(bytes).await;
        // Without waiting where there is room, which is nearly always: the waiting kind costs more than an event.
        let permits = match self.channel.try_reserve_many(self.batch.len()) {
            Err(TrySendError::Full(())) => self.channel.reserve_many(self.batch.len()).await.ok(),
            Err(TrySendError::Closed(())) => None,
            Ok(permits) => Some(permits),
        };
        match permits {
            Some(permits) => {
                for (permit, (event, size)) in permits.zip(self.batch.drain(..)) {
                    permit.send((self.map)(event));
                    self.sizes.push_back(size);
                }
                self.bytes += bytes;
            }
            None => self.batch.clear(),
        }
    }

    async fn wait_for_room(&mut self, size: usize) {
        let capacity = self.channel.max_capacity();
        self.forget_all_but(capacity - self.channel.capacity());
        let mut held = self.sizes.len();
        let mut bytes = self.bytes;
        let mut oldest = self.sizes.iter();
        while held > 0 && bytes + size > MAX_EVENT_BYTES {
            held -= 1;
            bytes -= oldest.next().copied().unwrap_or_default();
        }
        if held < self.sizes.len() {
            // The channel has this much free capacity exactly when no more than `held` events are left in it.
            if self.channel.reserve_many(capacity - held).await.is_ok() {
                self.forget_all_but(held);
            }
        }
    }

    /// The receiver has taken all events but the newest `held`.
    fn forget_all_but(&mut self, held: usize) {
        while self.sizes.len() > held {
            self.bytes -= self.sizes.pop_front().unwrap_or_default();
        }
    }
}
