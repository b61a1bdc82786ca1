//! Turns Markdown into HTML: `markdown [DIR]`.
//!
//! Without an argument: standard input to standard output. With DIR: every `*.md` file in it, sorted by name, each
//! preceded by `<!-- NAME -->`. Exit code: 0; 1 when a file cannot be read as UTF-8 (it is named on standard error)
//! or a stream fails.

#![expect(
    clippy::disallowed_methods,
    reason = "an ordinary program: what it may reach is its host's affair"
)]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pulldown_cmark::{Options, Parser, html};

fn main() -> ExitCode {
    let done = match std::env::args_os().nth(1) {
        None => stdin(),
        Some(directory) => folder(Path::new(&directory)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.kind() != io::ErrorKind::BrokenPipe {
                let _ = writeln!(io::stderr(), "markdown: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn stdin() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    render(&text)
}

fn folder(directory: &Path) -> io::Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| named(directory, &error))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| named(&file, &error))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(io::stdout(), "<!-- {name} -->")?;
        render(&text)?;
    }
    Ok(())
}

fn render(text: &str) -> io::Result<()> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut output = io::stdout().lock();
    // One write of the whole text would cost less, but this shows output before the end on long documents.
    html::write_html_io(io::BufWriter::new(&mut output), Parser::new_ext(text, options))?;
    output.flush()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
