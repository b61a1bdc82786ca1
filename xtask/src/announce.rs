//! What a first run takes, said before it begins: what is downloaded, how much that is, and how long all of it lasts.

use crate::guests::{self, Guest};
use crate::{paths, step};

/// What Cargo downloads for the demo on one system.
const CRATES_MB: u32 = 50;
/// Guests in other languages, which are left out by `--quick`.
const OTHER_LANGUAGES: [&str; 4] = ["c", "go", "js", "python"];

/// What the demo needs.
pub(crate) struct Needs<'a> {
    /// What is built and then run.
    pub(crate) program: &'a str,
    /// The first thing to see, as a sentence without an end.
    pub(crate) opens: &'a str,
    pub(crate) guests: &'a [Guest],
    /// Megabytes of the system's packages, if some are missing.
    pub(crate) system: Option<u32>,
    /// Likewise, of npm's.
    pub(crate) npm: Option<u32>,
    pub(crate) quick: bool,
}

/// Says what is missing. What is there already costs nothing and is not named.
pub(crate) fn tell(needs: &Needs<'_>) {
    let mut downloads = Vec::new();
    downloads.extend(needs.system.map(|size| ("packages of the system, at most".to_owned(), size)));
    let crates = crates_are_missing(needs.program).then_some(CRATES_MB);
    downloads.extend(crates.map(|size| ("crates of Rust".to_owned(), size)));
    downloads.extend(guests::downloads(needs.guests));
    downloads.extend(needs.npm.map(|size| ("npm packages for the page".to_owned(), size)));
    let is_built = program_is_built(needs.program);
    let others = needs.guests.iter().any(|(kind, _)| {
        OTHER_LANGUAGES.iter().any(|name| *kind == wasi_sidecar_guests::Kind::Language(name))
    });
    for (verb, text) in lines(&downloads, is_built, needs.opens, others && !needs.quick) {
        step::line(verb, &text);
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
        lines.push((
            "first run",
            format!(
                "most of it is compiling: on two processors {opens} after about 10 minutes, on eight after about 3; later \
                 runs take seconds"
            ),
        ));
    }
    if !downloads.is_empty() {
        let all: u32 = downloads.iter().map(|(_, size)| size).sum();
        lines.push((
            "downloads",
            format!(
                "about {all} MB, once and into target, but for packages of the system and crates:"
            ),
        ));
        lines.extend(downloads.iter().map(|(what, size)| ("", format!("{size:>4} MB  {what}"))));
    }
    if could_be_quick && !downloads.is_empty() {
        lines.push((
            "",
            "`--quick` leaves out the sidecars in other languages than Rust".to_owned(),
        ));
    }
    lines
}

fn crates_are_missing(program: &str) -> bool {
    let mut tree = step::cargo();
    // All that the program is made of is resolved, which needs the crates themselves.
    tree.args(["tree", "--offline", "--quiet", "--locked", "--package", program]);
    !step::works(tree.current_dir(paths::workspace()))
}

/// Whether it was built before: what changed since is built in a short time.
fn program_is_built(program: &str) -> bool {
    let file = paths::workspace().join("target/debug").join(program);
    file.with_extension(std::env::consts::EXE_EXTENSION).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_is_not_announced() {
        assert!(lines(&[], true, "it opens", true).is_empty());
        let first = lines(&[], false, "it opens", false);
        assert!(first.iter().all(|(_, text)| !text.contains("MB")), "{first:?}");
    }

    #[test]
    fn a_first_run_says_how_long_it_takes_and_how_much_is_downloaded() {
        let downloads = [("a Go compiler".to_owned(), 80), ("crates of Rust".to_owned(), 50)];
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
