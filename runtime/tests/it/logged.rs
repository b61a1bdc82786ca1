//! What the log is told: starts, ends, refusals and limits, each with the guest's name, and nothing of what a guest holds, says or
//! is made of. That is for the level of debugging, where it is escaped and short.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter as _;
use wasi_sidecar::{Command, Component, ErrorKind, Limits, LoadOptions, Termination};

use crate::support::{engine, guest, native, run, soon, wat};

/// In everything that is a guest's own.
const DATA: &str = "data-of-a-guest";

/// The lines of the log, each with its level in front.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn listen() {
    let log =
        tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false).without_time();
    // One for the whole process, since guests run on threads of the engine's.
    log.with_writer(|| LOG.make_writer()).init();
}

fn lines() -> Vec<String> {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&log).lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn the_log_has_what_happened_and_no_data_of_guests() {
    listen();

    // A start and an end. What goes in and comes out, arguments and environment are data.
    let mut command = Command::new(guest("args"));
    command.arg(DATA).env("NAME", DATA);
    assert!(run(&command, DATA.as_bytes()).await.status.success());
    let mut command = Command::new(native("args"));
    command.arg(DATA).env("NAME", DATA);
    assert!(run(&command, DATA.as_bytes()).await.status.success());

    // Refusals.
    let error = Command::new(guest("args")).arg(format!("{DATA}\0")).spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = Command::new(guest("args")).env(format!("{DATA}="), "").spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = Command::new(guest("args")).current_dir(format!("/{DATA}")).spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Grant);

    // A limit, and a kill.
    let limits = Limits::new().time(Duration::from_millis(20));
    let output = soon(Command::new(guest("spin")).limits(limits).output()).await.unwrap();
    assert!(matches!(output.status.termination(), Termination::OutOf(_)));
    let mut child = Command::new(guest("echo")).spawn().unwrap();
    soon(child.kill()).await.unwrap();

    // Names in an artifact: of a function that traps, and of what cannot be compiled.
    let trap = wat(&format!(
        r#"(module (memory (export "memory") 1) (func (@name "{DATA}\1b[2J") (export "_start") unreachable))"#
    ));
    let output = soon(Command::new(trap).output()).await.unwrap();
    let Termination::Trapped(text) = output.status.termination() else { panic!("{output:?}") };
    assert!(text.contains(DATA), "{text}");
    let twice = format!(
        r#"(module (memory (export "memory") 1) (func (export "_start")) (export "{DATA}" (func 0)) (export "{DATA}" (func 0)))"#
    );
    let twice =
        Component::load(engine(), wat::parse_str(twice).unwrap(), LoadOptions::new()).unwrap();
    let error = soon(Command::new(twice).output()).await.unwrap_err();
    assert!(error.chain().contains(DATA), "{}", error.chain());

    let lines = lines();
    for (level, guest, rest) in [
        ("INFO", "args", "spawned"),
        ("INFO", "args", "backend=component"),
        ("INFO", "args", "backend=native"),
        ("INFO", "args", "ended"),
        ("INFO", "echo", "termination=killed"),
        ("WARN", "args", "refused"),
        ("WARN", "args", "kind=Grant"),
        ("WARN", "spin", "ended by a limit"),
        ("WARN", "spin", "limit=time"),
        ("WARN", "sidecar", "trapped"),
        ("WARN", "sidecar", "could not run"),
        // And whoever looks closer finds why.
        ("DEBUG", "args", "refused because"),
        ("DEBUG", "sidecar", DATA),
    ] {
        let guest = format!("guest={guest}");
        let is_it = |line: &&String| {
            line.starts_with(level) && line.contains(&guest) && line.contains(rest)
        };
        assert!(lines.iter().any(|line| is_it(&line)), "{level} {guest} {rest}:\n{lines:#?}");
    }
    let ended = lines.iter().filter(|line| line.contains("guest=args") && line.contains("exited"));
    assert_eq!(ended.count(), 2, "a component and a native program:\n{lines:#?}");
    for line in &lines {
        let shown = ["INFO", "WARN", "ERROR"].iter().any(|level| line.starts_with(level));
        assert!(!shown || !line.contains(DATA), "data of a guest: {line}");
        assert!(line.len() < 5000 && !line.contains('\u{1b}'), "not escaped and short: {line:?}");
    }
}
