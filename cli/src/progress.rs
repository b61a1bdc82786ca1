//! Shows a spinner on a terminal while slow work is under way.

use std::{
    io::{self, IsTerminal as _},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// Shorter work shows nothing: a line that flashes by is noise.
const PATIENCE: Duration = Duration::from_millis(150);
/// Interval between frames of the spinner.
const TICK: Duration = Duration::from_millis(100);

/// A spinner on standard error until it is dropped. Silent if that is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(crate) fn start(what: String) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (sender, ended) = mpsc::channel();
        let show = move || {
            if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(what);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            // Waits until the other end is dropped, which is the error.
            let _ = ended.recv();
            bar.finish_and_clear();
        };
        // Shows nothing if the thread cannot start.
        let thread = thread::Builder::new().spawn(show);
        Self(thread.ok().map(|thread| (sender, thread)))
    }
}

impl Drop for Progress {
    /// Waits until the spinner's line is cleared, so that the next text starts on a clean one.
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
