//! Runs cargo for several Rust guests at once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wasi_sidecar_guests::RUST_PACKAGES;

use super::recipe::{PROFILE, flags, has_c};
use crate::system::paths;
use crate::toolchains::rustc::Rustc;
use crate::toolchains::zig;

/// The command that builds guests. All must have the same flags.
pub(crate) fn command<'a>(
    rustc: &Rustc,
    names: impl Iterator<Item = &'a String>,
) -> Result<Command> {
    let mut names = names.peekable();
    let mut cargo = rustc.cargo(names.peek().map_or(&[], |name| flags(rustc, name)));
    cargo.args(["build", "--profile", PROFILE, "--keep-going"]);
    cargo.args(["--message-format", "json-render-diagnostics", "--target-dir"]).arg(scratch());
    if let Some(target) = rustc.target {
        cargo.args(["--target", target]);
    }
    let mut packages = BTreeSet::new();
    let mut with_c = false;
    for name in names {
        let own = RUST_PACKAGES.contains(&name.as_str());
        packages.insert(if own { format!("guest-{name}") } else { "guest-programs".to_owned() });
        with_c |= has_c(name);
        cargo.args(["--bin", name]);
    }
    for package in packages {
        cargo.args(["--package", &package]);
    }
    if let (true, Some(target)) = (with_c, rustc.target) {
        zig::use_in_cargo(&mut cargo, target)?;
    }
    Ok(cargo)
}

fn scratch() -> PathBuf {
    paths::guest_scratch().join("rust")
}

/// Runs cargo and calls `built` for each program as soon as it is built. Returns cargo's standard error.
pub(crate) fn run(
    cargo: &mut Command,
    mut built: impl FnMut(&str, &Path) -> Result<()>,
) -> Result<String> {
    fs::create_dir_all(scratch()).context("cannot create the guests' target directory")?;
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cargo was started without pipes");
    };
    // On another thread, because cargo blocks if either pipe is full.
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        // Keeps what was read before a failure.
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    for line in BufReader::new(stdout).lines() {
        if let Some((name, executable)) = program(&line?) {
            built(&name, &executable)?;
        }
    }
    child.wait()?;
    Ok(errors.join().unwrap_or_default())
}

/// The name and path of a program in cargo's message about it.
fn program(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let executable = message.get("executable")?.as_str()?;
    Some((message.pointer("/target/name")?.as_str()?.to_owned(), PathBuf::from(executable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_programs_count() {
        let built = r#"{"reason":"compiler-artifact","target":{"name":"echo"},"executable":"/t/echo.wasm"}"#;
        assert_eq!(program(built), Some(("echo".to_owned(), PathBuf::from("/t/echo.wasm"))));
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"memchr"},"executable":null}"#;
        assert_eq!(program(library), None);
        assert_eq!(program("warning: not a message"), None);
    }
}
