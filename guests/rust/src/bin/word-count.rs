//! Counts the words of every text file below a directory: `word-count DIR`.
//!
//! Output: one JSON line `{"file":…,"words":…,"lines":…,"bytes":…}` per file as it is counted, in sorted order, with
//! paths relative to DIR; at last `{"total":{"files":…,"words":…,"lines":…,"bytes":…,"skipped":…}}`. Skipped, not
//! fatal: what cannot be read, is not UTF-8, or is neither file nor folder; symbolic links are not followed.
//! Exit code: 0; 1 when DIR is missing or cannot be listed, or standard output fails.

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Default)]
struct Total {
    files: u64,
    words: u64,
    lines: u64,
    bytes: u64,
    skipped: u64,
}

fn main() -> ExitCode {
    let Some(root) = std::env::args_os().nth(1).map(PathBuf::from) else {
        let _ = writeln!(io::stderr(), "usage: word-count DIR");
        return ExitCode::FAILURE;
    };
    match run(&root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.kind() != io::ErrorKind::BrokenPipe {
                let _ = writeln!(io::stderr(), "word-count: {}: {error}", root.display());
            }
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let mut total = Total::default();
    // What is still to visit, the next one last; a list instead of recursion, since any depth can come.
    let mut pending = sorted(root)?;
    while let Some(path) = pending.pop() {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => match sorted(&path) {
                Ok(below) => pending.extend(below),
                Err(_) => total.skipped += 1,
            },
            Ok(metadata) if metadata.is_file() => match fs::read_to_string(&path) {
                Ok(text) => {
                    count(&mut output, &mut total, path.strip_prefix(root).unwrap_or(&path), &text)?
                }
                Err(_) => total.skipped += 1,
            },
            _ => total.skipped += 1,
        }
    }
    let Total { files, words, lines, bytes, skipped } = total;
    writeln!(
        output,
        r#"{{"total":{{"files":{files},"words":{words},"lines":{lines},"bytes":{bytes},"skipped":{skipped}}}}}"#
    )?;
    output.flush()
}

/// The entries of a directory, last name first.
fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}

fn count(output: &mut impl Write, total: &mut Total, path: &Path, text: &str) -> io::Result<()> {
    let words = text.split_whitespace().count() as u64;
    let lines = text.lines().count() as u64;
    let bytes = text.len() as u64;
    total.files += 1;
    total.words += words;
    total.lines += lines;
    total.bytes += bytes;
    let file = quoted(&path.to_string_lossy().replace('\\', "/"));
    writeln!(output, r#"{{"file":{file},"words":{words},"lines":{lines},"bytes":{bytes}}}"#)?;
    output.flush()
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", control as u32)),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
