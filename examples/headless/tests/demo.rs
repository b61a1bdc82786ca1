//! Runs the demo as a person would, in a pipe.

#![expect(
    clippy::disallowed_methods,
    reason = "the demo is the process that is tested, not a sidecar of this test"
)]

use std::process::Command;

/// What a demo that succeeds writes.
fn played(arguments: &[&str]) -> (String, String) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_headless-demo"));
    let output = demo.args(arguments).output().expect("the demo starts");
    let text = String::from_utf8(output.stdout).expect("it writes text");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}\n{errors}");
    (text, errors)
}

#[test]
fn without_other_languages_every_scene_is_played_all_the_same() {
    let (text, _) = played(&["--quick"]);
    assert!(text.contains("Every scene did what it should."), "{text}");
    assert!(text.contains("rust/echo") && !text.contains("go/echo"), "{text}");
}

#[test]
fn every_scene_does_what_it_should() {
    let (text, errors) = played(&[]);
    // Where lines are broken depends on the paths in them.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "1. markdown: ",
        "2. word-count: ",
        "3. echo: ",
        "4. fs-probe: ",
        "5. spin: ",
        "All of it",
        "<h1>",
        "open refused: ",
        "write refused: not-permitted /notes/note.txt",
        "a guest that can change what the host loads has left the sandbox",
        "killed, signal 9",
        "out of time, signal 9",
        "Every scene did what it should.",
    ] {
        assert!(words.contains(expected), "no `{expected}` in\n{text}");
    }
    // In a pipe there is nothing but text, and it is read on terminals of this width.
    assert!(errors.is_empty(), "{errors}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{} columns: {widest}", widest.chars().count());
}
