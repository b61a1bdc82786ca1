//! Talking to the terminal and running commands.
//!
//! What is about to happen is said before it happens, one line each, the verb in a column as cargo does it. A command's
//! own output is kept back, and shown when the command fails.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many lines of a failed command's output are shown from its beginning and from its end. The cause is in one of
/// the two; npm puts its manual in between.
const SHOWN_LINES: (usize, usize) = (15, 60);

/// Prints `verb  text`.
pub(crate) fn line(verb: &str, text: &str) {
    // Standard output may be a pipe that nobody reads any longer; the work goes on.
    let _ = writeln!(std::io::stdout(), "{verb:>12}  {text}");
}

/// A command by its name. On Windows, npm and its like are scripts, which are found only with their extension.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let program = program.as_ref();
    if cfg!(windows) && program == "npm" { Command::new("npm.cmd") } else { Command::new(program) }
}

/// The cargo that runs this, or the one on PATH.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end, and returns what it wrote to standard output.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    bail!(failure(command, &format!("{}{stdout}", String::from_utf8_lossy(&output.stderr))));
}

/// Runs a command whose output is for the reader, and says how long it took.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let start = Instant::now();
    line("running", &shown(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    line("passed", &format!("in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// A time as people say it.
pub(crate) fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..90 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Whether a command can be started and succeeds, which is how a program is asked whether it is there.
pub(crate) fn works(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The text of a failed command: what it was, and what it said.
pub(crate) fn failure(command: &Command, output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let (first, last) = SHOWN_LINES;
    let said = if lines.len() > first + last {
        format!("{}\n[…]\n{}", lines[..first].join("\n"), lines[lines.len() - last..].join("\n"))
    } else {
        lines.join("\n")
    };
    format!("`{}` failed:\n{said}", shown(command))
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
