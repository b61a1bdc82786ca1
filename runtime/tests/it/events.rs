//! Events: the shape of the shell plugin, with its promises kept.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use wasi_sidecar::{
    Access, Command, CommandEvent, ErrorKind, Framing, Limit, Limits, Program, Termination,
};

use crate::support::{guest, holding, module, native, soon, temporary, text, wat};

fn kinds(name: &str) -> [Program; 3] {
    [guest(name).into(), module(name).into(), native(name).into()]
}

async fn all(mut events: Receiver<CommandEvent>) -> Vec<CommandEvent> {
    let mut seen = Vec::new();
    while let Some(event) = soon(events.recv()).await {
        seen.push(event);
    }
    let ends = seen.iter().filter(|event| matches!(event, CommandEvent::Terminated(_))).count();
    assert_eq!(ends, 1, "`Terminated` comes once");
    assert!(matches!(seen.last(), Some(CommandEvent::Terminated(_))), "and last");
    seen
}

fn out(events: &[CommandEvent]) -> Vec<String> {
    let lines = events.iter().filter_map(|event| match event {
        CommandEvent::Stdout(line) => Some(text(line)),
        _ => None,
    });
    lines.collect()
}

#[tokio::test]
async fn a_child_becomes_lines_and_an_end() {
    for program in kinds("echo") {
        let child = Command::new(program).spawn().unwrap();
        let (events, mut child) = child.into_events(Framing::lines());
        soon(child.write(b"one\n\ntwo\r\nthree\rfour")).await.unwrap();
        child.close_stdin();
        let events = all(events).await;
        assert_eq!(out(&events), ["one\n", "\n", "two\r\n", "three\r", "four"]);
        let Some(CommandEvent::Terminated(end)) = events.last() else { unreachable!() };
        assert_eq!((end.code, end.signal), (Some(0), None));
        let error = soon(child.write(b"more")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}

#[tokio::test]
async fn a_hundred_thousand_lines_come_in_order_and_once() {
    for args in [&["100000", "20"][..], &["20000", "20", "--each"]] {
        let count: usize = args[0].parse().unwrap();
        for program in kinds("lines") {
            let child = Command::new(program).args(args).spawn().unwrap();
            let (events, _child) = child.into_events(Framing::lines());
            let lines = out(&all(events).await);
            assert_eq!(lines.len(), count);
            let digits = |line: &str| line.chars().filter(char::is_ascii_digit).collect::<String>();
            let numbers: Vec<usize> =
                lines.iter().map(|line| digits(line).parse().unwrap()).collect();
            assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{:?}", &lines[..3]);
        }
    }
}

#[tokio::test]
async fn raw_output_is_the_bytes() {
    for program in kinds("flood") {
        let child = Command::new(program).args(["stdout", "200000"]).spawn().unwrap();
        let (events, _child) = child.into_events(Framing::Raw);
        let bytes = out(&all(events).await).concat();
        assert_eq!(bytes.len(), 200_000);
        assert!(bytes.bytes().enumerate().all(|(i, byte)| byte == b'a' + (i % 26) as u8));
    }
}

#[tokio::test]
async fn a_line_over_the_limit_comes_in_pieces() {
    for program in kinds("big-line") {
        let child = Command::new(program).args(["100000", "--newline"]).spawn().unwrap();
        let (events, _child) = child.into_events(Framing::lines().max_line(30_000));
        let lengths: Vec<_> = out(&all(events).await).iter().map(String::len).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 100_001);
        assert!(lengths.iter().all(|length| *length <= 30_000), "{lengths:?}");
        assert_eq!(lengths[..3], [30_000; 3]);
    }
}

#[tokio::test]
async fn an_unfinished_line_is_delivered_when_that_was_asked_for() {
    for program in kinds("echo") {
        let child = Command::new(program).spawn().unwrap();
        let framing = Framing::lines().partial_after(Duration::from_millis(5));
        let (mut events, mut child) = child.into_events(framing);
        soon(child.write(b"done\nname? ")).await.unwrap();
        for expected in ["done\n", "name? "] {
            let event = soon(events.recv()).await.unwrap();
            assert_eq!(event, CommandEvent::Stdout(expected.into()));
        }
        soon(child.write(b"rest\n")).await.unwrap();
        child.close_stdin();
        assert_eq!(out(&all(events).await), ["rest\n"]);
    }
}

#[tokio::test]
async fn the_streams_stay_apart() {
    for program in kinds("interleave") {
        let child = Command::new(program).arg("500").spawn().unwrap();
        let (events, _child) = child.into_events(Framing::lines());
        let events = all(events).await;
        let err = events.iter().filter(|event| matches!(event, CommandEvent::Stderr(_))).count();
        assert_eq!((out(&events).len(), err), (500, 500));
    }
}

#[tokio::test]
async fn a_trap_is_explained_before_the_end() {
    let child = Command::new(guest("trap")).arg("last words").spawn().unwrap();
    let (events, _child) = child.into_events(Framing::lines());
    let events = all(events).await;
    assert_eq!(out(&events), ["last words"]);
    let explained = events.iter().rev().nth(1);
    assert!(matches!(explained, Some(CommandEvent::Error(text)) if text.starts_with("trapped: ")));
}

#[tokio::test]
async fn a_limit_is_explained_with_the_names_of_its_setting() {
    let mut command = Command::new(guest("spin"));
    command.limits(Limits::new().cpu_time(Duration::from_millis(20)));
    let (events, _child) = command.spawn().unwrap().into_events(Framing::Raw);
    let events = all(events).await;
    let [.., CommandEvent::Error(text), CommandEvent::Terminated(end)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(end.termination, Some(Termination::OutOf(Limit::CpuTime)));
    let names = "`Limits::cpu_time`";
    assert_eq!(*text, format!("ran out of CPU time; raise {names} if it needs more"));
}

#[tokio::test]
async fn an_artifact_that_does_not_compile_ends_with_an_error_and_no_code() {
    // Well formed outside; its function takes an argument from an empty stack.
    let child = Command::new(wat(
        r#"(module (memory (export "memory") 1) (func (export "_start") (drop)))"#,
    ))
    .spawn()
    .unwrap();
    let (events, _child) = child.into_events(Framing::lines());
    let events = all(events).await;
    let [CommandEvent::Error(text), CommandEvent::Terminated(end)] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(text.contains("damaged inside"), "{text}");
    assert_eq!((end.code, end.signal, &end.termination), (None, None, &None));
}

#[tokio::test]
async fn events_nobody_receives_hold_the_child_back() {
    for program in kinds("flood") {
        let child = Command::new(program).args(["stdout", "forever"]).spawn().unwrap();
        let (mut events, child) = child.into_events(Framing::Raw);
        soon(events.recv()).await.unwrap();
        // Lets it fill the channel. Stopping early would make the bound below easier to keep, never harder.
        let full = async {
            let (mut seen, mut quiet) = (0, 0);
            while quiet < 20 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                quiet = if events.len() == seen { quiet + 1 } else { 0 };
                seen = events.len();
            }
            seen
        };
        assert!(soon(full).await >= 4, "it goes on until the channel is full");
        child.start_kill();
        let mut held = 0;
        while let Some(event) = soon(events.recv()).await {
            if let CommandEvent::Stdout(bytes) = event {
                held += bytes.len();
            }
        }
        assert!(held <= 640 << 10, "{held} bytes were held");
    }
}

#[tokio::test]
async fn without_a_receiver_the_child_goes_on() {
    // What it does after its output is the proof that it was not held back.
    let place = temporary();
    let script = "list\t/\n".repeat(20_000);
    for (number, program) in kinds("fs-probe").into_iter().enumerate() {
        let host = place.path().join(number.to_string());
        std::fs::create_dir(&host).unwrap();
        let native = matches!(program, Program::Native(_));
        let data = if native { host.to_str().unwrap() } else { "/data" };
        let mut command = Command::new(program);
        command.grants(holding(&host, Access::ReadWrite));
        let (events, mut child) = command.spawn().unwrap().into_events(Framing::lines());
        drop(events);
        soon(child.write(script.as_bytes())).await.unwrap();
        soon(child.write(format!("create\t{data}/done\n").as_bytes())).await.unwrap();
        let done = async {
            while !host.join("done").exists() {
                tokio::task::yield_now().await;
            }
        };
        soon(done).await;
    }
}

#[tokio::test]
async fn dropping_the_handle_closes_the_input() {
    for program in kinds("stdin-count") {
        let child = Command::new(program).spawn().unwrap();
        let (events, mut child) = child.into_events(Framing::lines());
        soon(child.write(b"12345\n")).await.unwrap();
        drop(child);
        assert_eq!(out(&all(events).await), ["bytes=6 lines=1\n"]);
    }
}

#[test]
fn a_component_needs_no_runtime_of_the_caller() {
    let child = Command::new(guest("args")).arg("alone").spawn().unwrap();
    let (mut events, _child) = child.into_events(Framing::lines());
    assert_eq!(events.blocking_recv(), Some(CommandEvent::Stdout(b"alone\n".to_vec())));
    assert!(
        matches!(events.blocking_recv(), Some(CommandEvent::Terminated(end)) if end.code == Some(0))
    );
    let error = Command::new(native("args")).spawn().unwrap_err();
    assert!(error.to_string().contains("Tokio runtime"), "{error}");
}
