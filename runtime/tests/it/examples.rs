//! The examples do what their first lines say.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where cargo puts a built example: this test is `…/PROFILE/deps/it-HASH`, the example `…/PROFILE/examples/NAME`.
pub(crate) fn built(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        path.is_file(),
        "there is no `{}`: `cargo build -p wasi-sidecar --examples` makes it",
        path.display()
    );
    path
}

/// What an example prints when it is run with these arguments.
fn run(name: &str, args: &[&str]) -> String {
    let output = Command::new(built(name)).args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    assert_eq!(stderr, "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn stream_shows_both_streams_and_the_end() {
    let said = run("stream", &[]);
    let of =
        |stream: &str| said.lines().filter(|line| line.starts_with(stream)).collect::<Vec<_>>();
    assert_eq!(of("stdout:"), ["stdout: out 1", "stdout: out 2", "stdout: out 3"]);
    assert_eq!(of("stderr:"), ["stderr: err 1", "stderr: err 2", "stderr: err 3"]);
    assert_eq!(said.lines().last(), Some("code Some(0), signal None"));
    assert_eq!(said.lines().count(), 7);
}

#[test]
fn stream_runs_another_component() {
    let exit = wasi_sidecar_guests::component("exit").unwrap();
    let said = run("stream", &[exit.to_str().unwrap(), "42", "bye"]);
    assert_eq!(said, "stdout: byecode Some(42), signal None\n");
}

#[test]
fn talk_goes_back_and_forth_and_ends_with_its_input() {
    let expected = "ping -> PING\none more -> ONE MORE\nenough -> ENOUGH\nexited with code 0\n";
    assert_eq!(run("talk", &[]), expected);
}

#[test]
fn sandbox_reads_what_is_granted_and_ends_at_its_limit() {
    let said = run("sandbox", &[]);
    let lines: Vec<_> = said.lines().collect();
    let [list, create, read, end] = lines[..] else { panic!("{said}") };
    let outcome = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect(line);
    assert_eq!(outcome(list)["value"], serde_json::json!(["sandbox.rs", "stream.rs", "talk.rs"]));
    assert_eq!(outcome(create)["error"], "not-permitted", "{create}");
    assert_eq!(outcome(read)["ok"], false, "{read}");
    assert_eq!(end, "stopped: out of time");
}

#[test]
fn an_example_fits_on_a_page() {
    for (name, source) in [
        ("stream", include_str!("../../examples/stream.rs")),
        ("talk", include_str!("../../examples/talk.rs")),
        ("sandbox", include_str!("../../examples/sandbox.rs")),
    ] {
        assert!(source.lines().count() <= 66, "{name}");
    }
}
