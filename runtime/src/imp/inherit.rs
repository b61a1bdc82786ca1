//! Connects a component's streams to the host's own, which the system does by itself for a process.

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    runtime::Handle,
    task::JoinHandle,
};

use super::host_stdin;
use crate::streams::{ChildStdin, PipedOutput};

/// Copies in progress between the guest and the host.
#[derive(Debug, Default)]
pub(super) struct Copies {
    input: Option<JoinHandle<()>>,
    outputs: Vec<JoinHandle<()>>,
}

impl Copies {
    /// Feeds the host's standard input to the guest until either ends.
    pub(super) fn input(&mut self, runtime: &Handle, mut to: ChildStdin) {
        self.input = Some(runtime.spawn(async move {
            // Nothing is taken that the guest has not asked for: it may be meant for the next one.
            while to.hungry().await {
                match host_stdin::chunk().await {
                    Ok(Some(chunk)) if to.write_all(&chunk).await.is_ok() => {}
                    Ok(_) => return,
                    // A directory, say. A process would meet the error at the same place.
                    Err(error) => return to.fail(error),
                }
            }
        }));
    }

    /// Passes on what the guest writes.
    pub(super) fn output(
        &mut self,
        runtime: &Handle,
        from: PipedOutput,
        to: impl AsyncWrite + Unpin + Send + 'static,
    ) {
        self.outputs.push(runtime.spawn(copy_out(from, to)));
    }

    /// Waits until everything the guest wrote has been passed on. The child has not ended before.
    pub(super) async fn finish(&mut self) {
        self.stop_input();
        while let Some(copy) = self.outputs.last_mut() {
            if let Err(error) = copy.await {
                tracing::error!(%error, "what a guest wrote could not be passed on");
            }
            self.outputs.pop();
        }
    }

    /// Stops at once: the child was killed, and the host's terminal may be held.
    pub(super) fn abort(&mut self) {
        self.stop_input();
        for copy in self.outputs.drain(..) {
            copy.abort();
        }
    }

    /// What is read from now on is for somebody else.
    fn stop_input(&mut self) {
        if let Some(copy) = self.input.take() {
            copy.abort();
        }
    }
}

async fn copy_out(mut from: PipedOutput, mut to: impl AsyncWrite + Unpin) {
    while let Some(chunk) = from.chunk().await {
        if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
            // The host's stream is gone. The guest learns it at its next write, as a process would.
            return;
        }
    }
}
