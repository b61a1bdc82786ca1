//! Ending a child: in every state, any number of times, by hand, by dropping it, and with the engine gone.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use wasi_sidecar::{
    Access, Backend, Child, Command, Component, Engine, EngineConfig, LoadOptions, Program,
    Termination,
};

use crate::support::{guest, holding, module, native, soon, temporary, wat};

/// Waits until the guest has said that it is where the test wants it.
async fn until(child: &mut Child, said: &str) {
    let mut heard = vec![0; said.len()];
    soon(child.stdout.as_mut().unwrap().read_exact(&mut heard)).await.unwrap();
    assert_eq!(heard, said.as_bytes());
}

fn assert_killed(child: &Child, status: &wasi_sidecar::ExitStatus) {
    assert_eq!((status.code(), status.signal()), (None, Some(9)), "{status}");
    if child.backend() == Backend::Component {
        assert_eq!(*status.termination(), Termination::Killed);
    }
}

#[tokio::test]
async fn a_kill_works_in_every_state() {
    let states: [(&str, &[&str], &str); 5] = [
        ("spin", &[], "spinning\n"),
        ("sleep", &["600000"], "sleeping\n"),
        ("echo", &[], ""),
        ("flood", &["stdout", "forever"], "abc"),
        ("flood", &["both", "forever"], "abc"),
    ];
    for (name, args, said) in states {
        let kinds: [Program; 3] = [guest(name).into(), module(name).into(), native(name).into()];
        for program in kinds {
            let mut child = Command::new(program).args(args).spawn().unwrap();
            until(&mut child, said).await;
            assert_eq!(child.try_wait().unwrap(), None, "{name}");
            soon(child.kill()).await.unwrap();
            let status = child.try_wait().unwrap().expect("ended");
            assert_killed(&child, &status);
            // Again, and again to wait: nothing happens, and the answer stays.
            soon(child.kill()).await.unwrap();
            assert_eq!(soon(child.wait()).await.unwrap(), status);
        }
    }
}

#[tokio::test]
async fn a_guest_with_directories_is_killed_as_well() {
    let place = temporary();
    for name in ["spin", "echo"] {
        let mut command = Command::new(guest(name));
        let mut child = command.grants(holding(place.path(), Access::ReadWrite)).spawn().unwrap();
        soon(child.kill()).await.unwrap();
        let status = soon(child.wait()).await.unwrap();
        assert_killed(&child, &status);
    }
}

/// A command that hangs in a call no kill can interrupt: it opens a FIFO that nobody writes to.
#[cfg(target_os = "linux")]
fn hanging(component: Component, place: &std::path::Path) -> Command {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let mode = Mode::from_raw_mode(0o600);
    mknodat(CWD, place.join("fifo"), FileType::Fifo, mode, 0).unwrap();
    let mut command = Command::new(component);
    command.args(["read", "/data/fifo"]).grants(holding(place, Access::ReadOnly));
    command
}

/// Opens the other end, which succeeds only while somebody waits in there, and lets them go.
#[cfg(target_os = "linux")]
fn somebody_hangs(place: &std::path::Path) -> bool {
    use rustix::fs::{Mode, OFlags, open};

    match open(place.join("fifo"), OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()) {
        Ok(_) => true,
        Err(rustix::io::Errno::NXIO) => false,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_guest_that_hangs_in_a_file_call_is_given_up() {
    for component in [guest("fs-probe"), module("fs-probe")] {
        let place = temporary();
        let command = hanging(component, place.path());
        // Until one was killed late enough to have come that far.
        let hung = async {
            for wait in 1.. {
                let mut child = command.spawn().unwrap();
                tokio::time::sleep(Duration::from_millis(wait)).await;
                child.kill().await.unwrap();
                let status = child.wait().await.unwrap();
                assert_killed(&child, &status);
                let mut rest = Vec::new();
                child.stdout.take().unwrap().read_to_end(&mut rest).await.unwrap();
                if somebody_hangs(place.path()) {
                    break;
                }
            }
        };
        soon(hung).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_guest_that_was_given_up_is_not_gone_until_its_call_returns() {
    let place = temporary();
    let command = hanging(guest("fs-probe"), place.path());
    let watch = loop {
        let mut child = command.spawn().unwrap();
        let watch = child.watch();
        assert!(!watch.is_gone(), "it has just been started");
        tokio::time::sleep(Duration::from_millis(20)).await;
        soon(child.kill()).await.unwrap();
        assert!(matches!(watch.try_wait(), Ok(Some(_))), "it has ended");
        if !watch.is_gone() {
            break watch;
        }
    };
    // A guest that was killed in time has gone before its end is told. This one stays until it is let go.
    assert!(somebody_hangs(place.path()));
    let gone = async {
        while !watch.is_gone() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_time_limit_ends_a_guest_that_hangs_in_a_file_call() {
    let place = temporary();
    let mut command = hanging(guest("fs-probe"), place.path());
    command.limits(wasi_sidecar::Limits::new().time(Duration::from_millis(300)));
    let status = soon(command.spawn().unwrap().wait()).await.unwrap();
    assert_eq!(*status.termination(), Termination::OutOf(wasi_sidecar::Limit::Time));
    assert!(somebody_hangs(place.path()), "it was given up, not ended");
}

#[tokio::test]
async fn a_guest_is_killed_while_its_code_is_being_made() {
    // Compiled afresh: an engine without a cache, and enough functions to take a while.
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let body = "(i32.add (local.get 0) (i32.mul (local.get 0) (i32.const 3)))".to_owned();
    let functions: String =
        (0..20_000).map(|n| format!("(func $f{n} (param i32) (result i32) {body})\n")).collect();
    let text =
        format!(r#"(module (memory (export "memory") 1) {functions} (func (export "_start")))"#);
    let component =
        Component::load(&engine, wat::parse_str(text).unwrap(), LoadOptions::new()).unwrap();
    let mut child = Command::new(component.clone()).spawn().unwrap();
    assert!(!component.is_compiled(), "spawn does not wait for the compiler");
    soon(child.kill()).await.unwrap();
    let status = soon(child.wait()).await.unwrap();
    assert_killed(&child, &status);
    // The compiling was not lost: the next child runs.
    let status = soon(Command::new(component).spawn().unwrap().wait()).await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn dropping_the_handle_kills_if_asked_to_and_only_then() {
    for kill in [true, false] {
        let mut command = Command::new(guest("sleep"));
        let mut child = command.arg("300").kill_on_drop(kill).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut heard = Vec::new();
        soon(stdout.read_exact(&mut [0; 9])).await.unwrap();
        drop(child);
        soon(stdout.read_to_end(&mut heard)).await.unwrap();
        assert_eq!(heard, if kill { &b""[..] } else { b"awake\n" }, "kill on drop: {kill}");
    }
}

#[tokio::test]
async fn a_wait_can_be_cancelled_and_repeated() {
    let mut child = Command::new(guest("sleep")).arg("200").spawn().unwrap();
    for _ in 0..5 {
        let _ = tokio::time::timeout(Duration::from_millis(1), child.wait()).await;
    }
    let status = soon(child.wait()).await.unwrap();
    assert!(status.success());
    assert_eq!(soon(child.wait()).await.unwrap(), status);
}

#[tokio::test]
async fn a_child_outlives_its_engine() {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let wasm = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
    let component = Component::load(&engine, wasm, LoadOptions::new()).unwrap();
    let child = Command::new(component).spawn().unwrap();
    drop(engine);
    let output = crate::support::finish(child, b"still here").await;
    assert_eq!(output.stdout, b"still here");
}

#[tokio::test]
async fn an_engine_can_be_dropped_inside_a_runtime_with_children_running() {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let wasm = std::fs::read(wasi_sidecar_guests::component("spin").unwrap()).unwrap();
    let mut child =
        Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap()).spawn().unwrap();
    until(&mut child, "spinning\n").await;
    drop(engine);
    soon(child.kill()).await.unwrap();
}

#[tokio::test]
async fn a_trap_tells_what_and_where() {
    let cases = [
        ("unreachable", "unreachable"),
        ("(drop (i32.load (i32.const -1)))", "out of bounds memory access"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "divide by zero"),
        ("(call $deep)", "call stack exhausted"),
    ];
    for (body, expected) in cases {
        let component = wat(&format!(
            r#"(module (memory (export "memory") 1)
                 (func $deep (call $deep))
                 (func $guilty {body})
                 (func $main (export "_start") (call $guilty)))"#
        ));
        let status = soon(Command::new(component).spawn().unwrap().wait()).await.unwrap();
        let Termination::Trapped(text) = status.termination() else { panic!("{status}") };
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("guilty") || expected.contains("stack"), "no backtrace: {text}");
        assert!(text.len() <= 4096, "{} bytes", text.len());
        assert_eq!((status.code(), status.signal()), (None, Some(6)));
    }
}

#[tokio::test]
async fn a_hostile_function_name_does_not_reach_the_log() {
    let name = format!("evil\\1b[2J{}", "x".repeat(50_000));
    let component = wat(&format!(
        r#"(module (memory (export "memory") 1)
             (func $main (@name "{name}") (export "_start") unreachable))"#
    ));
    let status = soon(Command::new(component).spawn().unwrap().wait()).await.unwrap();
    let Termination::Trapped(text) = status.termination() else { panic!("{status}") };
    assert!(text.len() <= 4096 && !text.contains('\x1b'), "{text}");
}

#[tokio::test]
async fn every_exit_code_of_a_module_survives() {
    for code in [0, 1, 125, 126, 127, 128, 200, 255] {
        let component = wat(&format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (memory (export "memory") 1)
                 (func (export "_start") (call $exit (i32.const {code}))))"#
        ));
        let status = soon(Command::new(component).spawn().unwrap().wait()).await.unwrap();
        assert_eq!(status.code(), Some(code));
    }
}

#[tokio::test]
async fn spinning_guests_delay_nobody() {
    let mut busy: Vec<_> = (0..8).map(|_| Command::new(guest("spin")).spawn().unwrap()).collect();
    for child in &mut busy {
        until(child, "spinning\n").await;
    }
    // A guest among them does its work, a hundred exchanges of it.
    let mut canary = Command::new(guest("upper")).spawn().unwrap();
    let (mut stdin, mut stdout) = (canary.stdin.take().unwrap(), canary.stdout.take().unwrap());
    for _ in 0..100 {
        tokio::io::AsyncWriteExt::write_all(&mut stdin, b"ping\n").await.unwrap();
        let mut answer = [0; 5];
        soon(stdout.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"PING\n");
    }
    for child in &mut busy {
        assert_eq!(child.try_wait().unwrap(), None);
        soon(child.kill()).await.unwrap();
    }
}

#[tokio::test]
async fn usage_is_told_while_it_runs() {
    let mut child = Command::new(guest("spin")).spawn().unwrap();
    until(&mut child, "spinning\n").await;
    let first = child.usage().unwrap();
    assert!(first.memory > 0 && first.memory_peak >= first.memory);
    let more = async {
        while child.usage().unwrap().cpu_time <= first.cpu_time {
            tokio::task::yield_now().await;
        }
    };
    soon(more).await;
    soon(child.kill()).await.unwrap();
    assert_eq!(child.usage().unwrap().memory, 0);
}

#[tokio::test]
async fn children_have_names_of_their_own() {
    let spawn = |program: Program| Command::new(program).arg("0").spawn().unwrap();
    let children =
        [spawn(guest("exit").into()), spawn(guest("exit").into()), spawn(native("exit").into())];
    let ids: std::collections::HashSet<_> = children.iter().map(Child::id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.get() >= 0x8000_0000));
    assert_eq!(children[0].os_id(), None);
    assert!(children[2].os_id().is_some_and(|id| id < 0x8000_0000));
    assert_eq!(
        [children[0].backend(), children[2].backend()],
        [Backend::Component, Backend::Native]
    );
}

#[tokio::test]
async fn a_component_that_does_not_compile_ends_with_inherited_streams_too() {
    let broken = || wat(r#"(module (memory (export "memory") 1) (func (export "_start") (drop)))"#);
    let error = soon(Command::new(broken()).status()).await.unwrap_err();
    assert_eq!(error.kind(), wasi_sidecar::ErrorKind::Damaged);
}

/// A process that leaves another one behind, which holds its streams.
#[cfg(unix)]
#[tokio::test]
async fn killing_ends_the_events_even_if_a_stranger_holds_the_streams() {
    use wasi_sidecar::{CommandEvent, Framing, NativeProgram, ambient_authority};

    let shell = NativeProgram::new("/bin/sh", ambient_authority());
    let mut command = Command::new(shell);
    let child = command.args(["-c", "sleep 600 & echo started"]).spawn().unwrap();
    let (mut events, child) = child.into_events(Framing::lines());
    let first = soon(events.recv()).await;
    assert_eq!(first, Some(CommandEvent::Stdout(b"started\n".to_vec())));
    child.start_kill();
    assert!(matches!(soon(events.recv()).await, Some(CommandEvent::Terminated(_))));
    assert_eq!(soon(events.recv()).await, None);
}

#[tokio::test]
async fn sleeps_are_kept_while_others_compute() {
    let mut busy: Vec<_> = (0..4).map(|_| Command::new(guest("spin")).spawn().unwrap()).collect();
    for child in &mut busy {
        until(child, "spinning\n").await;
    }
    // Many short sleeps: with timers looked at once in a while they would take many times as long, and the
    // limit on their time would be just as late.
    let limit = wasi_sidecar::Limits::new().time(Duration::from_secs(20));
    for _ in 0..20 {
        let mut command = Command::new(guest("sleep"));
        let mut child = command.arg("5").limits(limit.clone()).spawn().unwrap();
        assert!(soon(child.wait()).await.unwrap().success());
    }
    for child in &mut busy {
        soon(child.kill()).await.unwrap();
    }
}
