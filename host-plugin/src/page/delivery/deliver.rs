//! Delivers a child's events to its page.
//!
//! A message to a webview costs about as much as ten thousand bytes of it, so events are batched: a single event is sent at
//! once, a stream of events once a millisecond or when a batch is full. [`Credits`] bound what a page has not acknowledged.
//! Without credit the batch waits, then the bounded event channel and the child's pipes fill up, and then the child waits.

use std::time::Instant;

use tokio::sync::mpsc::Receiver;
use wasi_sidecar::{ChildRef, CommandEvent};

use super::{
    batch::{Batch, Stream},
    channel::PageChannel,
    decoder::StreamDecoder,
    encoding::OutputOptions,
    rate_limit::RateLimiter,
};
use crate::{page::Credits, spelling};

/// Events taken from the channel at once: its capacity.
const MAX_EVENTS: usize = 1024;

/// Delivers events until the child has ended and its output is read. After the page is gone it discards them.
pub(crate) async fn deliver(
    mut events: Receiver<CommandEvent>,
    options: OutputOptions,
    page: PageChannel,
    credits: &Credits,
    watch: &ChildRef,
) {
    let send = async |batch: &mut Batch| page.send(batch, credits, watch).await;
    let mut stdout = StreamDecoder::new(options);
    let mut stderr = StreamDecoder::new(options);
    let mut batch = Batch::new(page.batch);
    let mut received = Vec::new();
    let mut limiter = RateLimiter::default();
    let mut due = None;
    loop {
        let next = events.recv_many(&mut received, MAX_EVENTS);
        let wake_at = [due, stdout.due(), stderr.due()].into_iter().flatten().min();
        let count = match wake_at {
            None => Some(next.await),
            Some(at) => tokio::time::timeout_at(at.into(), next).await.ok(),
        };
        if count == Some(0) {
            break;
        }
        for event in received.drain(..) {
            match event {
                CommandEvent::Stdout(bytes) => {
                    stdout.push(&bytes, &mut |piece| batch.output(Stream::Stdout, piece));
                }
                CommandEvent::Stderr(bytes) => {
                    stderr.push(&bytes, &mut |piece| batch.output(Stream::Stderr, piece));
                }
                CommandEvent::Error(text) => batch.error(&spelling::respell(&text)),
                CommandEvent::Terminated(end) => {
                    stdout.finish(&mut |piece| batch.output(Stream::Stdout, piece));
                    stderr.finish(&mut |piece| batch.output(Stream::Stderr, piece));
                    batch.terminated(&end.into());
                }
                // The runtime's enum is non-exhaustive; pages know no other events.
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
        due = match limiter.earliest(now) {
            _ if batch.is_empty() => None,
            Some(earliest) => Some(earliest),
            None => {
                send(&mut batch).await;
                limiter.sent(now);
                None
            }
        };
    }
    send(&mut batch).await;
}
