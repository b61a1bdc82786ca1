//! Sends batches to a page.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tauri::{
    Runtime, Webview,
    ipc::{Channel, InvokeResponseBody},
};
use wasi_sidecar::ChildRef;

use super::batch::Batch;
use crate::page::Credits;

/// Bytes of messages after which a page of the shell plugin is probed for their arrival.
const PROBE_AFTER: usize = 64 << 10;

pub(crate) struct PageChannel {
    pub(crate) channel: Channel<InvokeResponseBody>,
    /// Whether the page understands messages with many events.
    pub(crate) batch: bool,
    /// Called with the bytes of each message that the page does not acknowledge itself.
    pub(crate) acknowledge: Box<dyn Fn(usize) + Send + Sync>,
}

impl PageChannel {
    /// Sends a batch once there is credit. After the child's end it needs none: the rest is bounded by the pipes and channels,
    /// and the report of the end must not wait for a page that does not read.
    pub(super) async fn send(&self, batch: &mut Batch, credits: &Credits, watch: &ChildRef) {
        for (body, bytes) in batch.take() {
            let is_open = tokio::select! {
                biased;
                is_open = credits.acquire(bytes) => is_open,
                _ = watch.wait() => credits.is_open(),
            };
            if !is_open {
                continue;
            }
            if let Err(error) = self.channel.send(body) {
                tracing::debug!(%error, "a page cannot be reached; its child's output is thrown away");
                credits.close();
            } else if !self.batch {
                (self.acknowledge)(bytes);
            }
        }
    }
}

/// Acknowledges for a page of the shell plugin, which does not acknowledge by itself. A webview runs scripts in order, so after
/// it has run an empty script, the messages before that have arrived.
pub(crate) fn acknowledge_on_arrival<R: Runtime>(
    webview: &Webview<R>,
    credits: &Arc<Credits>,
) -> Box<dyn Fn(usize) + Send + Sync> {
    let (webview, credits) = (webview.clone(), Arc::clone(credits));
    let pending = AtomicUsize::new(0);
    Box::new(move |bytes| {
        if pending.fetch_add(bytes, Ordering::Relaxed) + bytes < PROBE_AFTER {
            return;
        }
        let (bytes, credits) = (pending.swap(0, Ordering::Relaxed), Arc::clone(&credits));
        let probe = webview.eval_with_callback("0", move |_| credits.acknowledge(bytes));
        if let Err(error) = probe {
            tracing::debug!(%error, "a page cannot be asked what has arrived");
        }
    })
}
