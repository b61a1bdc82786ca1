//! Connects a component's streams to the host's own. For a process the operating system does it.

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    runtime::Handle,
    task::JoinHandle,
};

use super::{
    host_stdin,
    streams::{ChildStdin, PipedOutput},
};

/// Running copies between the guest and the host.
#[derive(Debug, Default)]
pub(super) struct Copies {
    input: Option<JoinHandle<()>>,
    outputs: Vec<JoinHandle<()>>,
}

impl Copies {
    /// Copies the host's standard input to the guest until either ends.
    pub(super) fn input(&mut self, runtime: &Handle, mut to: ChildStdin) {
        self.input = Some(runtime.spawn(async move {
            // Reads only when the guest asks for input: the rest may be for the next guest.
            while to.hungry().await {
                match host_stdin::chunk().await {
                    Ok(Some(chunk)) if to.write_all(&chunk).await.is_ok() => {}
                    Ok(_) => return,
                    // For example, standard input is a directory. A process would get the error from its read as well.
                    Err(error) => return to.fail(error),
                }
            }
        }));
    }

    /// Copies the guest's output to the host.
    pub(super) fn output(
        &mut self,
        runtime: &Handle,
        from: PipedOutput,
        to: impl AsyncWrite + Unpin + Send + 'static,
    ) {
        self.outputs.push(runtime.spawn(copy_out(from, to)));
    }

    /// Waits until all output of the guest was copied. The child counts as running until then.
    pub(super) async fn finish(&mut self) {
        self.stop_input();
        while let Some(copy) = self.outputs.last_mut() {
            if let Err(error) = copy.await {
                tracing::error!(%error, "what a guest wrote could not be passed on");
            }
            self.outputs.pop();
        }
    }

    /// Stops at once, without waiting for the output: the child was killed, and the host's terminal may be stopped.
    pub(super) fn abort(&mut self) {
        self.stop_input();
        for copy in self.outputs.drain(..) {
            copy.abort();
        }
    }

    /// Input from now on is for another guest.
    fn stop_input(&mut self) {
        if let Some(copy) = self.input.take() {
            copy.abort();
        }
    }
}

async fn copy_out(mut from: PipedOutput, mut to: impl AsyncWrite + Unpin) {
    while let Some(chunk) = from.chunk().await {
        if to.write_all(&chunk).await.is_err() || to.flush().await.is_err() {
            // The host's stream is gone. The guest's next write fails, as a process's would.
            return;
        }
    }
}
