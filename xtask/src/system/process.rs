//! Running other programs. A program's output is captured, and printed only if the program fails.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{console, paths};

/// How many lines of a failed program's output are printed from its start and from its end. The cause is in one of the
/// two; npm prints its usage in between.
const SHOWN_LINES: (usize, usize) = (15, 60);

/// A command for a program on PATH. On Windows, npm is a script, which is found only with its extension.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let program = program.as_ref();
    if cfg!(windows) && program == "npm" { Command::new("npm.cmd") } else { Command::new(program) }
}

/// The cargo that runs this program, or the one on PATH, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::workspace());
    cargo
}

/// Runs a program to its end and returns its standard output.
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

/// Runs a program that prints to this terminal, and prints how long it took.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let start = Instant::now();
    console::step("running", &shown(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    console::step("passed", &format!("in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// Whether a program starts and succeeds. `works(command("npm").arg("--version"))` tests whether npm is installed.
pub(crate) fn works(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The error text for a failed command and its output.
pub(crate) fn failure(command: &Command, output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let (first, last) = SHOWN_LINES;
    let output = if lines.len() > first + last {
        format!("{}\n[…]\n{}", lines[..first].join("\n"), lines[lines.len() - last..].join("\n"))
    } else {
        lines.join("\n")
    };
    format!("`{}` failed:\n{output}", shown(command))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
