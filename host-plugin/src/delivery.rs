//! A child's events on their way to the page that started it.
//!
//! A message to a webview costs about as much as ten thousand bytes of it, so events are gathered: what comes after a pause
//! is sent at once, what comes in a stream every few milliseconds or when 64 KiB have come together. And a page that does
//! not keep up must not make the app grow: it acknowledges what it has consumed, and what is on the way without having been
//! acknowledged is bounded ([`Credits`]). Behind that the events' own channel is bounded, and the child's pipes, and then
//! the child waits.

mod credits;
mod message;

use std::time::{Duration, Instant};

use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::sync::mpsc::Receiver;
use wasi_sidecar::{ChildRef, CommandEvent};

pub(crate) use credits::Credits;
use message::Batch;

use crate::{
    encoding::{Encoding, StreamDecoder},
    process::TerminatedPayload,
};

/// Bytes that are worth a message of their own. Larger ones are not cheaper by the byte, and take longer on the page.
const FULL: usize = 64 << 10;

/// Shortest time between two messages that are not full.
const PAUSE: Duration = Duration::from_millis(4);

/// Events taken from the channel at once, as many as it holds.
const AT_ONCE: usize = 1024;

/// The page at the other end.
pub(crate) struct Page {
    pub(crate) channel: Channel<InvokeResponseBody>,
    /// Whether it understands messages with many events.
    pub(crate) batch: bool,
    /// Called with the bytes of messages that the page does not acknowledge itself; returns them when they have arrived.
    pub(crate) arrived: Box<dyn Fn(usize) + Send + Sync>,
}

/// Delivers events until there are no more. When the page is gone the rest is thrown away, and the child's output with it.
pub(crate) async fn deliver(
    mut events: Receiver<CommandEvent>,
    encoding: Encoding,
    partial_after: Option<Duration>,
    page: Page,
    credits: &Credits,
    watch: &ChildRef,
) {
    let send = async |batch: &mut Batch| page.send(batch, credits, watch).await;
    let mut stdout = StreamDecoder::new(encoding, partial_after);
    let mut stderr = StreamDecoder::new(encoding, partial_after);
    let mut batch = Batch::new(page.batch);
    let mut taken = Vec::new();
    let mut sent: Option<Instant> = None;
    let mut due = None;
    loop {
        let next = events.recv_many(&mut taken, AT_ONCE);
        let wanted = [due, stdout.due(), stderr.due()].into_iter().flatten().min();
        let woken = match wanted {
            None => Some(next.await),
            Some(at) => tokio::time::timeout_at(at.into(), next).await.ok(),
        };
        if woken == Some(0) {
            break;
        }
        for event in taken.drain(..) {
            match event {
                CommandEvent::Stdout(bytes) => {
                    stdout.push(&bytes, &mut |piece| batch.output(Stream::Stdout, piece));
                }
                CommandEvent::Stderr(bytes) => {
                    stderr.push(&bytes, &mut |piece| batch.output(Stream::Stderr, piece));
                }
                CommandEvent::Error(text) => batch.error(&text),
                CommandEvent::Terminated(end) => {
                    stdout.finish(&mut |piece| batch.output(Stream::Stdout, piece));
                    stderr.finish(&mut |piece| batch.output(Stream::Stderr, piece));
                    batch.terminated(&TerminatedPayload::from(end));
                }
                // The runtime may come to have more kinds of events; a page that knows none of them misses nothing.
                _ => {}
            }
            if batch.bytes() >= FULL {
                send(&mut batch).await;
                sent = Some(Instant::now());
            }
        }
        let now = Instant::now();
        for (decoder, stream) in [(&mut stdout, Stream::Stdout), (&mut stderr, Stream::Stderr)] {
            if decoder.due().is_some_and(|due| due <= now) {
                decoder.flush_partial(&mut |piece| batch.output(stream, piece));
            }
        }
        due = match sent.map(|at| at + PAUSE) {
            _ if batch.is_empty() => None,
            Some(earliest) if earliest > Instant::now() => Some(earliest),
            _ => {
                send(&mut batch).await;
                sent = Some(Instant::now());
                None
            }
        };
    }
    send(&mut batch).await;
}

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Page {
    /// Sends what has been gathered, once there is credit for it. When the child has ended none is needed: what is left of
    /// it is no more than its pipes and channels held, and its end must not wait for a page that does not read.
    async fn send(&self, batch: &mut Batch, credits: &Credits, watch: &ChildRef) {
        for (body, bytes) in batch.take() {
            let there = tokio::select! {
                biased;
                there = credits.take(bytes) => there,
                _ = watch.wait() => credits.page_is_there(),
            };
            if !there {
                continue;
            }
            if let Err(error) = self.channel.send(body) {
                tracing::debug!(%error, "a page cannot be reached; its child's output is thrown away");
                credits.page_left();
            } else if !self.batch {
                (self.arrived)(bytes);
            }
        }
    }
}
