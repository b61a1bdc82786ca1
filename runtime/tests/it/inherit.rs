//! Guests on the host's own streams. Those are a process's, so these tests start this program again.

use std::{
    io::Write,
    process::{Child, Command as Process, Output, Stdio as ProcessStdio},
};

use wasi_sidecar::{Command, Program, Stdio};

use crate::support::{guest, module, native, soon};

/// Names the scene that the program started again plays, instead of its test.
const SCENE: &str = "WASI_SIDECAR_TEST_SCENE";

/// Plays a scene in a process of its own, with this input.
#[track_caller]
fn play(scene: &str, input: &[u8]) -> Output {
    let mut host = started(scene, ProcessStdio::piped());
    host.stdin.take().unwrap().write_all(input).unwrap();
    finished(host)
}

fn started(scene: &str, input: ProcessStdio) -> Child {
    Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "inherit::host", "--nocapture", "--quiet"])
        .env(SCENE, scene)
        .stdin(input)
        .stdout(ProcessStdio::piped())
        .stderr(ProcessStdio::piped())
        .spawn()
        .unwrap()
}

#[track_caller]
fn finished(host: Child) -> Output {
    let output = host.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The process itself. As a test among the others it has nothing to do.
#[tokio::test]
async fn host() {
    match std::env::var(SCENE).as_deref() {
        Ok("both streams") => {
            for program in [guest("flood"), module("flood")] {
                let mut command = Command::new(program);
                let status = soon(command.args(["both", "100000"]).status()).await.unwrap();
                assert!(status.success());
            }
        }
        Ok("one after another") => {
            let programs: [Program; 3] =
                [guest("exit").into(), module("exit").into(), native("exit").into()];
            for program in programs {
                assert!(soon(Command::new(program).arg("0").status()).await.unwrap().success());
            }
            let mut command = Command::new(guest("stdin-count"));
            assert!(soon(command.stdin(Stdio::inherit()).status()).await.unwrap().success());
        }
        Ok("input that cannot be read") => {
            let programs: [Program; 3] = [
                guest("stdin-count").into(),
                module("stdin-count").into(),
                native("stdin-count").into(),
            ];
            for program in programs {
                let mut command = Command::new(program);
                let status = soon(command.stdin(Stdio::inherit()).status()).await.unwrap();
                println!("{:?}", status.code());
            }
        }
        _ => {}
    }
}

#[test]
fn what_a_guest_writes_reaches_the_hosts_streams() {
    let output = play("both streams", b"");
    let letters = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'z').count();
    assert!(letters(&output.stdout) >= 2 * (100_000 / 26), "{}", letters(&output.stdout));
    assert!(letters(&output.stderr) >= 2 * (100_000 / 26), "{}", letters(&output.stderr));
}

#[test]
fn input_is_kept_for_the_guest_that_reads_it() {
    let output = play("one after another", b"one\ntwo\n");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("bytes=8 lines=2"), "{said}");
}

#[cfg(unix)]
#[test]
fn input_that_cannot_be_read_is_an_error_of_the_guest_as_of_a_process() {
    let place = std::fs::File::open(std::env::temp_dir()).unwrap();
    let output = finished(started("input that cannot be read", place.into()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.matches("Some(1)").count(), 3, "{said}");
    assert!(!said.contains("bytes="), "{said}");
}
