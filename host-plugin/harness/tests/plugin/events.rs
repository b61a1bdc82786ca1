//! Rust's API: events, ends, and what the shell plugin does beside it.

use std::time::Duration;

use serde_json::json;
use tauri::async_runtime::Receiver;
use tauri_plugin_shell::ShellExt;
use tauri_plugin_wasi_sidecar::{
    Error, SidecarExt,
    process::{CommandChild, CommandEvent, TerminatedPayload},
    wasi_sidecar::Backend,
};
use wasi_sidecar_guests::native;

use crate::support::{Mock, all, app, app_with, lines, wait};

/// Both kinds of a guest.
const KINDS: [(&str, Backend); 2] =
    [("guests", Backend::Component), ("fallbacks", Backend::Native)];

fn spawn(mock: &Mock, name: &str, args: &[&str]) -> (Receiver<CommandEvent>, CommandChild) {
    let command = mock.app.sidecar(name).unwrap_or_else(|error| panic!("{error}")).args(args);
    command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn parity_06_terminated_has_the_shell_plugins_fields_and_a_reason() {
    let mock = app();
    for (kind, _) in KINDS {
        let (events, _child) = spawn(&mock, &format!("{kind}/exit"), &["42", "out", "err"]);
        let (events, end) = all(events);
        assert_eq!(end, TerminatedPayload { code: Some(42), signal: None, reason: None });
        assert!(events.contains(&CommandEvent::Stdout(b"out".to_vec())), "{events:?}");
        assert!(events.contains(&CommandEvent::Stderr(b"err".to_vec())), "{events:?}");
    }
    let (events, _child) = spawn(&mock, "guests/trap", &[]);
    let (events, end) = all(events);
    assert_eq!((end.code, end.signal, end.reason.as_deref()), (None, Some(6), Some("trapped")));
    assert!(matches!(events.last(), Some(CommandEvent::Error(_))), "{events:?}");
    let json =
        serde_json::to_value(TerminatedPayload { code: Some(1), signal: None, reason: None });
    assert_eq!(json.expect("it is JSON"), json!({ "code": 1, "signal": null, "reason": null }));
}

#[test]
fn parity_07_lines_are_the_same_as_the_shell_plugins_and_do_not_depend_on_chunks() {
    let mock = app();
    let ours = |name: &str| {
        let (events, _child) = spawn(&mock, name, &["200", "40"]);
        lines(&all(events).0)
    };
    let command = mock.app.shell().command(native("lines").expect("built")).args(["200", "40"]);
    let (mut events, _child) = command.spawn().expect("it starts");
    let mut theirs = Vec::new();
    wait(async {
        while let Some(event) = events.recv().await {
            if let tauri_plugin_shell::process::CommandEvent::Stdout(line) = event {
                theirs.push(String::from_utf8_lossy(&line).into_owned());
            }
        }
    });
    assert_eq!(theirs.len(), 200);
    assert_eq!(ours("guests/lines"), theirs);
    assert_eq!(ours("fallbacks/lines"), theirs);

    // Where it differs: `\r`, and the same lines however the bytes arrive.
    for pieces in [&["a\nb\r\nc\rd\n\ne"][..], &["a\nb\r", "\nc\r", "d\n", "\n", "e"]] {
        let (events, mut child) = spawn(&mock, "guests/echo", &[]);
        for piece in pieces {
            child.write(piece.as_bytes()).expect("it reads");
        }
        child.close_stdin();
        assert_eq!(lines(&all(events).0), ["a\n", "b\r\n", "c\r", "d\n", "\n", "e"]);
    }
}

#[test]
fn parity_08_an_unfinished_line_is_delivered_when_that_was_asked_for() {
    let mock = app();
    for (kind, _) in KINDS {
        let command = mock.app.sidecar(format!("{kind}/echo")).expect("configured");
        let (mut events, mut child) =
            command.flush_partial_lines(Duration::from_millis(5)).spawn().expect("it starts");
        child.write(b"name? ").expect("it reads");
        let event = wait(events.recv());
        assert_eq!(event, Some(CommandEvent::Stdout(b"name? ".to_vec())), "{kind}");
        child.close_stdin();
        assert_eq!(all(events).1.code, Some(0));
    }
}

#[test]
fn parity_09_a_line_over_the_limit_comes_in_pieces() {
    let mock = app();
    let size = (16 << 20) + 1000;
    let (events, _child) = spawn(&mock, "guests/big-line", &[&size.to_string()]);
    let (events, _) = all(events);
    let lengths: Vec<_> = lines(&events).iter().map(String::len).collect();
    assert_eq!(lengths, [16 << 20, 1000]);
}

#[test]
fn parity_10_raw_output_is_the_bytes() {
    let mock = app();
    for (kind, _) in KINDS {
        let command = mock.app.sidecar(format!("{kind}/flood")).expect("configured");
        let (events, _child) =
            command.args(["stdout", "300000"]).set_raw_out(true).spawn().expect("it starts");
        let bytes = lines(&all(events).0).concat();
        assert_eq!(bytes.len(), 300_000);
        assert!(bytes.bytes().enumerate().all(|(i, byte)| byte == b'a' + (i % 26) as u8));
    }
}

#[test]
fn parity_11_a_child_that_cannot_be_run_to_an_end_has_an_error_and_an_end() {
    // In order outside, so that it starts, and invalid inside, which is found when it is compiled.
    let invalid = r#"(module (memory (export "memory") 1) (func (export "_start") (result i32)
        i32.const 0) (func i64.const 0 i32.const 1 i32.add drop))"#;
    let wasm = wat::Parser::new().parse_str(None, invalid).expect("it is text of WebAssembly");
    let mock = app();
    mock.app.sidecars().register("invalid", wasm).expect("in order outside");
    let (events, _child) = spawn(&mock, "invalid", &[]);
    let (events, end) = all(events);
    assert_eq!((end.code, end.signal, end.reason.as_deref()), (None, None, Some("failed")));
    assert!(matches!(events[..], [CommandEvent::Error(_)]), "{events:?}");
}

#[test]
fn parity_12_an_unread_receiver_makes_the_child_wait_and_a_dropped_one_does_not() {
    let mock = app();
    for (kind, backend) in KINDS {
        // 64 lines of a mebibyte: more than all buffers together, and few enough for a channel that counts messages only.
        let (mut events, child) = spawn(&mock, &format!("{kind}/lines"), &["64", "1048576"]);
        let first = wait(events.recv());
        assert!(matches!(first, Some(CommandEvent::Stdout(_))), "{first:?}");
        if backend == Backend::Component {
            let stopped = || {
                let before = child.usage();
                std::thread::sleep(Duration::from_millis(50));
                child.usage() == before
            };
            assert!((0..1000).any(|_| stopped()), "it goes on computing");
        }
        // What the channel and the pipes hold, and nothing of what is behind them.
        assert!(events.len() <= 4, "{} events are held", events.len());
        let (rest, end) = all(events);
        assert_eq!((rest.len(), end.code), (63, Some(0)), "{kind}");

        let (events, mut child) = spawn(&mock, &format!("{kind}/echo"), &[]);
        drop(events);
        // It goes on reading, and what it writes is thrown away.
        for _ in 0..40 {
            child.write(&[b'x'; 64 << 10]).expect("it reads");
        }
        child.kill().expect("killed");
    }
}

#[test]
fn parity_13_writing_is_all_or_an_error_and_after_the_end_a_broken_pipe() {
    let mock = app();
    for (kind, _) in KINDS {
        let (events, mut child) = spawn(&mock, &format!("{kind}/stdin-count"), &[]);
        wait(child.write_async(&[b'x'; 1000])).expect("it reads");
        // In the middle of an async task, where apps do it.
        let (child, written) = wait(async {
            let task = tauri::async_runtime::spawn(async move {
                let written = child.write(&[b'\n'; 200_000]);
                (child, written)
            });
            task.await.expect("it does not panic")
        });
        written.expect("it reads");
        let mut child = child;
        child.close_stdin();
        let (events, end) = all(events);
        assert_eq!(lines(&events), ["bytes=201000 lines=200000\n"]);
        assert_eq!(end.code, Some(0));
        let error = child.write(b"more").expect_err("it is gone").to_string();
        assert_eq!(error, "Broken pipe");
    }
}

/// A task of the async runtime has so many turns; whoever waits in it must not wait for the next one.
#[test]
fn parity_13_writing_and_killing_work_in_the_middle_of_a_long_task() {
    let mock = app();
    for (kind, _) in KINDS {
        let (events, mut child) = spawn(&mock, &format!("{kind}/stdin-count"), &[]);
        let task = tauri::async_runtime::spawn(async move {
            for _ in 0..1000 {
                child.write(b"x\n").expect("it reads");
            }
            child.write(&[b'y'; 8 << 20]).expect("it reads");
        });
        wait(task).expect("it does not panic");
        let (events, _) = all(events);
        assert_eq!(lines(&events), [format!("bytes={} lines=1000\n", 2000 + (8 << 20))], "{kind}");

        let (mut events, child) = spawn(&mock, &format!("{kind}/lines"), &["1000000", "20"]);
        let task = tauri::async_runtime::spawn(async move {
            for _ in 0..128 {
                assert!(events.recv().await.is_some());
            }
            child.kill().expect("killed");
            events
        });
        let (_, end) = all(wait(task).expect("it does not panic"));
        assert_eq!(end.signal, Some(9), "{kind}");
    }
}

#[test]
fn parity_14_dropping_the_child_closes_its_input_and_leaves_it_running() {
    let mock = app();
    for (kind, _) in KINDS {
        let (events, mut child) = spawn(&mock, &format!("{kind}/stdin-count"), &[]);
        child.write(b"four").expect("it reads");
        drop(child);
        let (events, end) = all(events);
        assert_eq!((lines(&events), end.code), (vec!["bytes=4 lines=0\n".to_owned()], Some(0)));

        let command = mock.app.sidecar(format!("{kind}/spin")).expect("configured");
        let (events, child) = command.kill_on_drop(true).spawn().expect("it starts");
        drop(child);
        assert_eq!(all(events).1.signal, Some(9), "{kind}");
    }
}

#[test]
fn parity_15_killing_works_in_any_state_and_after_the_end() {
    let mock = app();
    for (kind, _) in KINDS {
        for (guest, args) in
            [("spin", &[][..]), ("echo", &[]), ("sleep", &["60000"]), ("flood", &[])]
        {
            let (events, child) = spawn(&mock, &format!("{kind}/{guest}"), args);
            child.kill().expect("killed");
            let (_, end) = all(events);
            assert_eq!((end.code, end.signal), (None, Some(9)), "{kind}/{guest}");
            assert_eq!(end.reason.as_deref(), Some("killed"), "{kind}/{guest}");
        }
        let (events, child) = spawn(&mock, &format!("{kind}/args"), &[]);
        all(events);
        child.kill().expect("it has ended, as was asked");
    }
}

#[test]
fn parity_16_a_pid_is_ours_and_tells_which_kind_runs() {
    let mock = app();
    let mut seen = Vec::new();
    for (kind, backend) in KINDS {
        let (events, child) = spawn(&mock, &format!("{kind}/echo"), &[]);
        assert!(child.pid() >= 0x8000_0000, "{}", child.pid());
        assert_eq!(child.backend(), backend);
        assert!(!seen.contains(&child.pid()));
        seen.push(child.pid());
        drop(child);
        all(events);
    }
}

#[test]
fn parity_17_output_is_exact_and_its_input_is_at_an_end() {
    let mock = app();
    for (kind, _) in KINDS {
        // Reads to the end of its input, which never comes with the shell plugin.
        let output = wait(mock.app.sidecar(format!("{kind}/echo")).expect("there").output());
        assert!(output.expect("it ends").status.success(), "{kind}");
        let command =
            mock.app.sidecar(format!("{kind}/exit")).expect("there").args(["3", "a\nb", "c"]);
        let output = wait(command.output()).expect("it runs");
        assert_eq!((output.stdout, output.stderr), (b"a\nb".to_vec(), b"c".to_vec()));
        assert_eq!(output.status.code(), Some(3));
    }
    // The shell plugin adds a line end after each event.
    let theirs = mock.app.shell().command(native("exit").expect("built")).args(["3", "a\nb", "c"]);
    assert_eq!(wait(theirs.output()).expect("it runs").stdout, b"a\n\nb\n");
}

#[test]
fn parity_18_status_and_output_have_the_shell_plugins_form() {
    let mock = app();
    for (kind, _) in KINDS {
        let status = |args: &[&str]| {
            let command = mock.app.sidecar(format!("{kind}/exit")).expect("there").args(args);
            wait(command.status()).expect("it runs")
        };
        assert!(status(&["0"]).success());
        let failed = status(&["7", "said and thrown away"]);
        assert_eq!((failed.success(), failed.code()), (false, Some(7)));
        let reads = mock.app.sidecar(format!("{kind}/echo")).expect("there");
        assert!(wait(reads.status()).expect("its input is at an end").success());
    }
}

#[test]
fn parity_22_errors_are_texts_and_those_of_the_shell_plugin_where_the_case_is_the_same() {
    let mock =
        app_with(json!({ "gone": { "native": { "program": "/not/there", "when": "always" } } }));
    let error = mock.app.sidecar("gone").expect("configured").spawn().expect_err("it is not there");
    assert!(error.to_string().contains("`/not/there` does not exist"), "{error}");
    let json = serde_json::to_value(Error::UnknownEncoding("x".into())).expect("a text");
    assert_eq!(json, json!("unknown encoding x"));
    let theirs = tauri_plugin_shell::Error::UnknownEncoding("x".into());
    assert_eq!(serde_json::to_value(theirs).expect("a text"), json);
}
