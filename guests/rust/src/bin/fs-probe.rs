//! Tries file operations and reports how each went, one JSON line per operation, flushed.
//!
//! It starts in its initial directory. Arguments: one operation as `OP PATH [SECOND]`; or none, and operations come on
//! standard input, one a line, with the fields separated by tabs. Outcomes, always with the keys in this order:
//! `{"op":"stat","path":"/a","ok":true,"value":{"kind":"file","size":3}}` (`value` is `null` where there is nothing to
//! tell) or `{"op":"open","path":"/b","ok":false,"error":"not-found","detail":"…"}`. `error` is std's `ErrorKind` in
//! kebab-case, except that `not-permitted` (EPERM) and `not-capable` (WASI's ENOTCAPABLE) are kept apart from
//! `permission-denied` (EACCES), and EBADF is `bad-descriptor`. `detail` is the system's own text, and differs between
//! systems. One error has two names: reading a directory is `is-a-directory` natively, `bad-descriptor` under WASI.
//! Exit code: 0 whatever the outcomes are; 1 when a stream fails.
//!
//! | reads | value | | reads | value |
//! |---|---|---|---|---|
//! | `open` | null | | `stat` (follows links), `lstat` | kind and size |
//! | `read` | content as text | | `readlink` | the target |
//! | `list` | sorted names | | | |
//!
//! | changes something | SECOND | does |
//! |---|---|---|
//! | `create` | | makes an empty file that must not exist |
//! | `write`, `append`, `overwrite` | text | replaces the content; adds to its end; writes over its beginning |
//! | `open-write`, `truncate` | | opens an existing file to write; empties it |
//! | `set-size` | bytes | cuts or extends a file |
//! | `set-times` | seconds | sets both times of a file, counted from 1970 |
//! | `rename`, `link`, `copy` | path | PATH to SECOND |
//! | `symlink` | target | makes PATH a symbolic link |
//! | `mkdir`, `create-dir-all`, `rmdir`, `unlink`, `remove-dir-all` | | as in std |

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::fs::{self, FileTimes, Metadata, OpenOptions};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if run(&arguments).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    if !arguments.is_empty() {
        let fields: Vec<&str> = arguments.iter().map(String::as_str).collect();
        return probe(&mut output, &fields);
    }
    for line in io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        if fields != [""] {
            probe(&mut output, &fields)?;
        }
    }
    Ok(())
}

fn probe(output: &mut impl Write, fields: &[&str]) -> io::Result<()> {
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    let head = format!(r#"{{"op":{},"path":{},"ok""#, quoted(field(0)), quoted(field(1)));
    // Joined, and not changed to: the C library would make no hard links afterwards.
    let from_start = |path: &str| match wasi_sidecar_guest::initial_dir() {
        Some(start) => start.join(path).to_string_lossy().into_owned(),
        None => path.to_owned(),
    };
    let second = match field(0) {
        "rename" | "link" | "copy" => from_start(field(2)),
        _ => field(2).to_owned(),
    };
    let line = match attempt(field(0), &from_start(field(1)), &second) {
        Some(Ok(value)) => format!("{head}:true,\"value\":{value}}}\n"),
        Some(Err(error)) => {
            let (name, detail) = (quoted(&name(&error)), quoted(&error.to_string()));
            format!("{head}:false,\"error\":{name},\"detail\":{detail}}}\n")
        }
        None => format!("{head}:false,\"error\":\"unknown-operation\",\"detail\":\"\"}}\n"),
    };
    output.write_all(line.as_bytes())?;
    output.flush()
}

/// The value as JSON, or `None` for an operation there is not.
fn attempt(operation: &str, path: &str, second: &str) -> Option<io::Result<String>> {
    let text = second.as_bytes();
    let nothing = |()| "null".to_owned();
    let number = |count: u64| count.to_string();
    let write = |options: &mut OpenOptions| -> io::Result<u64> {
        options.open(path)?.write_all(text)?;
        Ok(text.len() as u64)
    };
    let mut options = OpenOptions::new();
    Some(match operation {
        "open" => options.read(true).open(path).map(drop).map(nothing),
        "read" => fs::read(path).map(|bytes| quoted(&String::from_utf8_lossy(&bytes))),
        "list" => list(path),
        "stat" => fs::metadata(path).map(|metadata| described(&metadata)),
        "lstat" => fs::symlink_metadata(path).map(|metadata| described(&metadata)),
        "readlink" => fs::read_link(path).map(|target| quoted(&target.to_string_lossy())),
        "create" => options.write(true).create_new(true).open(path).map(drop).map(nothing),
        "write" => write(options.write(true).create(true).truncate(true)).map(number),
        "append" => write(options.append(true).create(true)).map(number),
        "overwrite" => write(options.write(true)).map(number),
        "open-write" => options.write(true).open(path).map(drop).map(nothing),
        "truncate" => options.write(true).truncate(true).open(path).map(drop).map(nothing),
        "set-size" => set_size(path, second).map(nothing),
        "set-times" => set_times(path, second).map(nothing),
        "rename" => fs::rename(path, second).map(nothing),
        "link" => fs::hard_link(path, second).map(nothing),
        "copy" => fs::copy(path, second).map(number),
        "symlink" => symlink(second, path).map(nothing),
        "mkdir" => fs::create_dir(path).map(nothing),
        "create-dir-all" => fs::create_dir_all(path).map(nothing),
        "rmdir" => fs::remove_dir(path).map(nothing),
        "unlink" => fs::remove_file(path).map(nothing),
        "remove-dir-all" => fs::remove_dir_all(path).map(nothing),
        _ => return None,
    })
}

fn list(path: &str) -> io::Result<String> {
    let mut names = fs::read_dir(path)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    Ok(format!("[{}]", names.join(",")))
}

fn described(metadata: &Metadata) -> String {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => "directory",
        kind if kind.is_file() => "file",
        kind if kind.is_symlink() => "symlink",
        _ => "other",
    };
    // The size of a directory is its file system's affair and would differ from run to run.
    let size = if metadata.is_dir() { 0 } else { metadata.len() };
    format!(r#"{{"kind":"{kind}","size":{size}}}"#)
}

fn set_size(path: &str, second: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(parsed(second)?)
}

/// Opens the file for reading only: what is refused is then setting the times, not opening.
fn set_times(path: &str, second: &str) -> io::Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(parsed(second)?);
    OpenOptions::new()
        .read(true)
        .open(path)?
        .set_times(FileTimes::new().set_accessed(time).set_modified(time))
}

fn parsed(number: &str) -> io::Result<u64> {
    number.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

#[expect(
    deprecated,
    reason = "std's one way to make a symbolic link that compiles on every target"
)]
fn symlink(target: &str, path: &str) -> io::Result<()> {
    fs::soft_link(target, path)
}

fn name(error: &io::Error) -> String {
    // The last of WASI's is one that std knows on every system but this one.
    #[cfg(target_os = "wasi")]
    const NAMED: &[(i32, &str)] = &[
        (63, "not-permitted"),
        (76, "not-capable"),
        (8, "bad-descriptor"),
        (55, "directory-not-empty"),
    ];
    #[cfg(unix)]
    const NAMED: &[(i32, &str)] = &[(1, "not-permitted"), (9, "bad-descriptor")];
    #[cfg(windows)]
    const NAMED: &[(i32, &str)] = &[];
    if let Some((_, name)) = NAMED.iter().find(|(code, _)| error.raw_os_error() == Some(*code)) {
        return (*name).to_owned();
    }
    let mut name = String::new();
    for character in format!("{:?}", error.kind()).chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
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
