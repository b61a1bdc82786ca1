//! Building one program of the workspace and finding it. A first build takes minutes, so it says now and then how far it is.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{paths, step};

/// Builds one target and returns where it is.
///
/// The whole workspace is selected, although one target is built: so dependencies get the same features whichever
/// command builds them, and the engine, which takes minutes, is built once and not once for each command.
pub(crate) fn executable(command: &[&str], kind: &str, name: &str) -> Result<PathBuf> {
    built(command, &["--workspace", kind, name], name)
}

/// Builds a program of one package, with the features that this package asks for and no others: as an application has it,
/// where [`executable`] brings along what the tools of this workspace ask for.
pub(crate) fn executable_alone(command: &[&str], package: &str, name: &str) -> Result<PathBuf> {
    built(command, &["--package", package, "--bin", name], name)
}

fn built(command: &[&str], what: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = step::cargo();
    cargo.args(command).args(what);
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(paths::workspace());
    // The bar that cargo shows on a terminal has what is told here.
    cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "200");
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        cargo.spawn().with_context(|| format!("cannot start cargo to build `{name}`"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cargo was started without pipes");
    };
    let progress = Progress::default();
    let (ended, end) = mpsc::channel::<()>();
    let (errors, executable) = thread::scope(|scope| {
        let errors = scope.spawn(|| progress.read(stderr));
        let progress = &progress;
        scope.spawn(move || progress.tell(name, &end));
        let executable = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
            .filter(|message| message["target"]["name"] == name)
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .last();
        drop(ended);
        (errors.join().unwrap_or_default(), executable)
    });
    if !child.wait()?.success() {
        eprint!("{errors}");
        bail!("`{name}` does not build; why is said above");
    }
    executable.with_context(|| format!("cargo built `{name}` and does not say where"))
}

/// How far a build is, as cargo's bar says: `213/402: wasmtime, tauri`.
#[derive(Clone, Default)]
struct Progress(Arc<Mutex<Option<String>>>);

impl Progress {
    /// How often it is told. Whoever waits wonders after half a minute whether anything goes on.
    const EVERY: Duration = Duration::from_secs(20);

    /// Reads what cargo says to its end, and returns it without the bar.
    fn read(&self, mut stderr: ChildStderr) -> String {
        let mut text = String::new();
        let mut rest = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut bytes) {
            rest.extend_from_slice(&bytes[..count]);
            // The bar is written over itself; everything else is lines.
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

    /// Says how far it is until the other end of the channel is gone.
    fn tell(&self, name: &str, end: &mpsc::Receiver<()>) {
        let start = Instant::now();
        while end.recv_timeout(Self::EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            let so_far = self.lock().as_deref().map(words).unwrap_or_default();
            step::line("building", &format!("{name}: {}{so_far}", step::time(start.elapsed())));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What cargo's bar says behind itself.
fn bar(line: &str) -> Option<&str> {
    let (_, said) = line.trim().strip_prefix("Building [")?.split_once("] ")?;
    Some(said)
}

/// That as part of a sentence.
fn words(said: &str) -> String {
    let (numbers, crates) = said.split_once(": ").unwrap_or((said, ""));
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
        let said = bar(line).expect("a bar");
        assert_eq!(said, "213/402: wasmtime, tauri(build)");
        assert_eq!(words(said), ", 213 of 402 steps, now wasmtime, tauri(build)");
        assert_eq!(words("402/402"), ", 402 of 402 steps");
        // Whatever else cargo comes to say there, nothing is told of it.
        assert_eq!(words("something"), "");
        for line in ["   Compiling wasmtime v48.0.8\n", "warning: unused\n", "Building [", "", "\r"]
        {
            assert_eq!(bar(line), None, "{line:?}");
        }
    }
}
