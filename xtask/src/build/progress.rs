//! Prints now and then how far a cargo build is, because a first build takes minutes.

use std::io::Read;
use std::process::ChildStderr;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::system::console;

/// The text of cargo's progress bar, `213/402: wasmtime, tauri`.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Option<String>>);

impl Progress {
    /// Short enough that nobody takes the build for stuck.
    const INTERVAL: Duration = Duration::from_secs(20);

    /// Reads cargo's standard error to its end and returns it without the bar.
    pub(crate) fn read(&self, mut stderr: ChildStderr) -> String {
        let mut text = String::new();
        let mut rest = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut bytes) {
            rest.extend_from_slice(&bytes[..count]);
            // The bar ends in a carriage return, everything else in a newline.
            while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                match bar(&line) {
                    Some(bar) => *self.lock() = Some(bar.to_owned()),
                    None if line.trim_end_matches('\r').is_empty() => {}
                    None => text.push_str(&line.replace('\r', "\n")),
                }
            }
        }
        text + &String::from_utf8_lossy(&rest)
    }

    /// Prints the progress until the channel closes.
    pub(crate) fn print(&self, name: &str, end: &mpsc::Receiver<()>) {
        let start = Instant::now();
        while end.recv_timeout(Self::INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
            let so_far = self.lock().as_deref().map(words).unwrap_or_default();
            let time = console::duration(start.elapsed());
            console::step("building", &format!("{name}: {time}{so_far}"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text after cargo's progress bar.
fn bar(line: &str) -> Option<&str> {
    let (_, text) = line.trim().strip_prefix("Building [")?.split_once("] ")?;
    Some(text)
}

/// The same for people: `, 213 of 402 steps, now wasmtime, tauri`.
fn words(bar: &str) -> String {
    let (numbers, crates) = bar.split_once(": ").unwrap_or((bar, ""));
    let crates = if crates.is_empty() { String::new() } else { format!(", now {crates}") };
    match numbers.split_once('/') {
        Some((done, all)) => format!(", {done} of {all} steps{crates}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_of_cargo_is_read() {
        let line =
            "    Building [=======>              ] 213/402: wasmtime, tauri(build)         \r";
        let text = bar(line).expect("a bar");
        assert_eq!(text, "213/402: wasmtime, tauri(build)");
        assert_eq!(words(text), ", 213 of 402 steps, now wasmtime, tauri(build)");
        assert_eq!(words("402/402"), ", 402 of 402 steps");
        // An unknown format prints nothing.
        assert_eq!(words("something"), "");
        for line in ["   Compiling wasmtime v48.0.8\n", "warning: unused\n", "Building [", "", "\r"]
        {
            assert_eq!(bar(line), None, "{line:?}");
        }
    }
}
