//! Connects a component's streams to the host's own, which the system does by itself for a process.

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    runtime::Handle,
    task::JoinHandle,
};

use crate::child::{ChildStdin, PipedOutput};

/// Copies in progress from the guest to the host; the child has not ended before they have.
#[derive(Debug, Default)]
pub(super) struct Copies(Vec<JoinHandle<()>>);

impl Copies {
    pub(super) fn output(
        &mut self,
        runtime: &Handle,
        from: PipedOutput,
        to: impl AsyncWrite + Unpin + Send + 'static,
    ) {
        self.0.push(runtime.spawn(copy_out(from, to)));
    }

    /// Waits until everything the guest wrote has been passed on.
    pub(super) async fn finish(self) {
        for copy in self.0 {
            let _ = copy.await;
        }
    }

    /// Stops at once: the child was killed, and the host's terminal may be held.
    pub(super) fn abort(self) {
        for copy in self.0 {
            copy.abort();
        }
    }
}

/// Feeds the host's standard input to the guest until either ends.
pub(super) fn input(
    runtime: &Handle,
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: ChildStdin,
) {
    runtime.spawn(async move {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if to.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
}

async fn copy_out(mut from: PipedOutput, mut to: impl AsyncWrite + Unpin) {
    while let Some(chunk) = from.chunk().await {
        if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
            // The host's stream is gone. The guest learns it at its next write, as a process would.
            return;
        }
    }
}
