//! What a first run of the demo takes: time, and the size of each download.

use wasi_sidecar_guests::Kind;

use crate::build::npm;
use crate::guests::{Guest, downloads};
use crate::system::{console, paths, process};
use crate::webview;

/// Download size of the demo's crates on one system.
const CRATES_MB: u32 = 50;

pub(crate) struct Needs<'a> {
    /// The program that is built and run.
    pub(crate) program: &'a str,
    /// The first visible result, as a clause: "the window opens".
    pub(crate) opens: &'a str,
    pub(crate) guests: &'a [Guest],
    /// Whether packages of the system are missing.
    pub(crate) system: bool,
    /// Whether npm packages are missing.
    pub(crate) npm: bool,
    pub(crate) quick: bool,
}

/// Prints what is missing. What is already installed or built is not listed.
pub(crate) fn print(needs: &Needs<'_>) {
    let mut missing = Vec::new();
    let mut add = |is_missing: bool, what: &str, size| {
        missing.extend(is_missing.then(|| (what.to_owned(), size)));
    };
    add(needs.system, "system packages, at most", webview::packages::MEGABYTES);
    add(crates_are_missing(needs.program), "Rust crates", CRATES_MB);
    add(needs.npm, "npm packages for the page", npm::MEGABYTES);
    missing.extend(downloads(needs.guests));
    let is_built = program_is_built(needs.program);
    let others = needs.guests.iter().any(|(kind, _)| matches!(kind, Kind::Language(_)));
    for (verb, text) in lines(&missing, is_built, needs.opens, others && !needs.quick) {
        console::step(verb, &text);
    }
}

fn lines(
    downloads: &[(String, u32)],
    is_built: bool,
    opens: &str,
    could_be_quick: bool,
) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if !is_built {
        let time = format!(
            "mostly compiling: {opens} after about 10 minutes on two processors, 3 on eight; later runs take seconds"
        );
        lines.push(("first run", time));
    }
    if !downloads.is_empty() {
        let all: u32 = downloads.iter().map(|(_, size)| size).sum();
        let text = format!("about {all} MB, once; all but system packages and crates into target:");
        lines.push(("downloads", text));
        lines.extend(downloads.iter().map(|(what, size)| ("", format!("{size:>4} MB  {what}"))));
        if could_be_quick {
            lines.push(("", "`--quick` skips sidecars in languages other than Rust".to_owned()));
        }
    }
    lines
}

fn crates_are_missing(program: &str) -> bool {
    let mut tree = process::cargo();
    // `cargo tree` reads the manifest of each crate, so it fails offline if one is missing.
    tree.args(["tree", "--offline", "--quiet", "--locked", "--package", program]);
    !process::works(&mut tree)
}

/// Whether an earlier run has built the program; a rebuild is short.
fn program_is_built(program: &str) -> bool {
    let file = paths::workspace().join("target/debug").join(program);
    file.with_extension(std::env::consts::EXE_EXTENSION).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_not_listed() {
        assert!(lines(&[], true, "it opens", true).is_empty());
        let first = lines(&[], false, "it opens", false);
        assert!(first.iter().all(|(_, text)| !text.contains("MB")), "{first:?}");
    }

    #[test]
    fn a_first_run_prints_its_time_and_downloads() {
        let downloads = [("a Go compiler".to_owned(), 80), ("Rust crates".to_owned(), 50)];
        let text: Vec<String> = lines(&downloads, false, "the window opens", true)
            .into_iter()
            .map(|(verb, text)| format!("{verb} {text}"))
            .collect();
        let text = text.join("\n");
        for expected in
            ["minutes", "the window opens", "about 130 MB", "  80 MB  a Go compiler", "--quick"]
        {
            assert!(text.contains(expected), "no `{expected}` in {text}");
        }
    }
}
