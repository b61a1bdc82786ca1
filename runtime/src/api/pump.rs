//! The task that turns a child's streams and end into events, and a channel bounded in bytes.

use std::{collections::VecDeque, pin::pin, time::Duration};

use bytes::Bytes;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use crate::{
    Backend, CommandEvent, Framing, LineSplitter, TerminatedPayload,
    backend::{Delivered, Process, Stream},
};

/// Most events in the channel. Many, because passing one line at a time is what makes lines slow.
const MAX_EVENTS: usize = 1024;

/// Most bytes in the channel: four full pipes. A single larger line may be in it alone.
const MAX_EVENT_BYTES: usize = 256 << 10;

/// Most events sent together. The first event wakes a sleeping receiver, which costs more than a dozen events; a
/// receiver that gets events one by one sleeps again between them.
const MAX_BATCH: usize = MAX_EVENTS / 4;

/// Stop collecting a batch at this many bytes.
const FULL_BATCH: usize = MAX_EVENT_BYTES / 4;

/// An event of fewer bytes gets memory of its own.
const SMALL_EVENT: usize = 16 << 10;

/// How long to wait for the output of a killed child. A process it started can hold the streams open for ever.
const KILLED_OUTPUT: Duration = Duration::from_millis(200);

/// Starts the task that turns streams into events, converted by the caller's function.
pub(crate) fn pump<T: Send + 'static>(
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    process: Process,
    framing: Framing,
    map: fn(CommandEvent) -> T,
) -> (mpsc::Receiver<T>, Delivered) {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    let delivered = Delivered::default();
    let task = run(
        OutputStream::new(stdout, framing, CommandEvent::Stdout),
        OutputStream::new(stderr, framing, CommandEvent::Stderr),
        process.clone(),
        Sender {
            channel: sender,
            map,
            batch: Vec::new(),
            sizes: VecDeque::new(),
            bytes: 0,
            delivered: delivered.clone(),
        },
    );
    // Runs beside the guest, if it is one: waking another thread takes longer than splitting its output into lines.
    match (process.backend, Handle::try_current()) {
        (Backend::Native, Ok(runtime)) => drop(runtime.spawn(task)),
        _ => process.on_engine(task),
    }
    (receiver, delivered)
}

async fn run<T: Send>(
    mut stdout: OutputStream,
    mut stderr: OutputStream,
    process: Process,
    mut events: Sender<T>,
) {
    // A component's streams end with it. Processes that a native program started can hold its streams open for ever.
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

/// Waits until an unfinished line is due; for ever if none is.
async fn quiet(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// One of the two streams, and how its bytes become events.
struct OutputStream {
    stream: Option<Stream>,
    framing: Frames,
    partial_after: Option<Duration>,
    /// When to deliver the held unfinished line.
    due: Option<Instant>,
    event: fn(Vec<u8>) -> CommandEvent,
}

enum Frames {
    Lines(LineSplitter),
    Blocks(LineSplitter),
    Raw(Option<Bytes>),
}

impl OutputStream {
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
                // A time beyond the clock's range never comes.
                self.partial_after.and_then(|quiet| Instant::now().checked_add(quiet))
            }
            _ => None,
        };
        bytes.map(|bytes| self.wrap(bytes))
    }

    /// The unfinished line so far.
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
    /// Events to send next, in order, with the size of each.
    batch: Vec<(CommandEvent, usize)>,
    /// Sizes of the events in the channel, oldest first.
    sizes: VecDeque<usize>,
    /// The sum of `sizes`.
    bytes: usize,
    delivered: Delivered,
}

impl<T> Sender<T> {
    /// Sends what a stream yields after a read.
    async fn forward(&mut self, source: &mut OutputStream, read: std::io::Result<()>) {
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

    async fn forward_partial(&mut self, source: &mut OutputStream) {
        if let Some(event) = source.partial() {
            self.send(event).await;
        }
    }

    async fn send(&mut self, event: CommandEvent) {
        let bytes = self.add(event);
        self.send_batch(bytes).await;
    }

    /// Adds an event to the batch and returns its size in bytes.
    fn add(&mut self, event: CommandEvent) -> usize {
        let size = match &event {
            CommandEvent::Stdout(bytes) | CommandEvent::Stderr(bytes) => bytes.len(),
            CommandEvent::Error(text) => text.len(),
            CommandEvent::Terminated(_) => 0,
        };
        self.batch.push((event, size));
        size
    }

    /// Waits for room and sends. Without a receiver the events are discarded.
    async fn send_batch(&mut self, bytes: usize) {
        self.wait_for_room(bytes).await;
        // Tries without waiting first, since there nearly always is room: a waiting send costs more than an event.
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
                self.delivered.add_one();
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
            // The channel has this much free capacity exactly when at most `held` events are left in it.
            if self.channel.reserve_many(capacity - held).await.is_ok() {
                self.forget_all_but(held);
            }
        }
    }

    /// Forgets the sizes of received events: all but the newest `held`.
    fn forget_all_but(&mut self, held: usize) {
        while self.sizes.len() > held {
            self.bytes -= self.sizes.pop_front().unwrap_or_default();
        }
    }
}
