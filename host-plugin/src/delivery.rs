//! A child's events on their way to the page that started it.
//!
//! A message to a webview costs about as much as ten thousand bytes of it, so events are gathered: what comes now and then is
//! sent at once, what comes in a stream once a millisecond or when enough has come together. And a page that does
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
    encoding::{Reading, StreamDecoder},
    process::TerminatedPayload,
};

/// Bytes of text that are worth a message of their own. Larger ones take longer on the page, and hold more memory where it does
/// not read.
const FULL: usize = 64 << 10;

/// Bytes of raw output that are worth one. A page fetches those, and a fetch takes half a millisecond whatever it fetches.
const FULL_RAW: usize = 256 << 10;

/// Memory of a message of raw output: a full one, and what one more event of a pipe can add.
const RAW_MESSAGE: usize = FULL_RAW + (64 << 10);

/// Time between two messages that are not full, on the average: a stream of lines, each written for itself, must not keep
/// the page busy with messages.
const PAUSE: Duration = Duration::from_millis(1);

/// Messages that may be sent without one, after a time without any: questions and answers go back and forth in less.
const BURST: u32 = 16;

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
    reading: Reading,
    page: Page,
    credits: &Credits,
    watch: &ChildRef,
) {
    let send = async |batch: &mut Batch| page.send(batch, credits, watch).await;
    let mut stdout = StreamDecoder::new(reading);
    let mut stderr = StreamDecoder::new(reading);
    let mut batch = Batch::new(page.batch);
    let mut taken = Vec::new();
    let mut pace = Pace::default();
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
            if batch.is_full() {
                send(&mut batch).await;
            }
        }
        let now = Instant::now();
        for (decoder, stream) in [(&mut stdout, Stream::Stdout), (&mut stderr, Stream::Stderr)] {
            if decoder.due().is_some_and(|due| due <= now) {
                decoder.flush_partial(&mut |piece| batch.output(stream, piece));
            }
        }
        due = match pace.earliest(now) {
            _ if batch.is_empty() => None,
            Some(earliest) => Some(earliest),
            None => {
                send(&mut batch).await;
                pace.sent(now);
                None
            }
        };
    }
    send(&mut batch).await;
}

/// Spreads messages that are not full: [`BURST`] at once, and one every [`PAUSE`] in the long run.
#[derive(Debug, Default)]
struct Pace {
    /// When the messages that were sent would have been through, one every pause.
    through: Option<Instant>,
}

impl Pace {
    /// When the next one may be sent, if not now.
    fn earliest(&self, now: Instant) -> Option<Instant> {
        // A clock that has just begun has no moment that long ago.
        let earliest = self.through?.checked_sub(PAUSE * BURST)?;
        (earliest > now).then_some(earliest)
    }

    fn sent(&mut self, now: Instant) {
        self.through = Some(self.through.map_or(now, |through| through.max(now)) + PAUSE);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_messages_go_at_once_and_many_at_a_pace() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(pace.earliest(start), None);
            pace.sent(start);
        }
        pace.sent(start);
        assert_eq!(pace.earliest(start), Some(start + PAUSE));
        // In a second there are as many as there are pauses in it, and one burst.
        let (mut now, mut sent) = (start, 0);
        while now < start + Duration::from_secs(1) {
            match pace.earliest(now) {
                Some(at) => now = at,
                None => {
                    pace.sent(now);
                    sent += 1;
                }
            }
        }
        assert!((990..=1010).contains(&sent), "{sent}");
        // Question and answer, two milliseconds each.
        for _ in 0..1000 {
            now += Duration::from_millis(2);
            assert_eq!(pace.earliest(now), None);
            pace.sent(now);
        }
    }
}
