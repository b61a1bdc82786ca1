//! Artifacts of strangers: compiled in a process of their own, within limits; or scanned, where that is impossible.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use wasi_sidecar::{
    CodeOrigin, Command, CompileChild, Component, Engine, EngineConfig, ErrorKind, LoadOptions,
    Status, ambient_authority,
};

use crate::{
    bombs,
    examples::built,
    support::{finish, soon},
};

/// A program that is a compile child when it is asked to be.
fn child() -> CompileChild {
    CompileChild::program(built("sandbox"), ambient_authority())
}

fn engine(child: CompileChild) -> Engine {
    Engine::new(&EngineConfig::new().compile_isolated(child)).unwrap()
}

fn load(engine: &Engine, wasm: Vec<u8>) -> Component {
    Component::load(engine, wasm, LoadOptions::new())
        .unwrap_or_else(|error| panic!("{}", error.chain()))
}

fn upper() -> Vec<u8> {
    std::fs::read(wasi_sidecar_guests::component("upper").unwrap()).unwrap()
}

/// Held by each test that looks at this process or starts bombs in others: a runner may run tests beside each other.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What compiling failed with, and how long that took.
async fn refused(component: &Component) -> (ErrorKind, String, Duration) {
    let begin = Instant::now();
    let error = soon(component.compile()).await.expect_err("it is a bomb");
    (error.kind(), error.to_string(), begin.elapsed())
}

/// Processes of the example, compile children among them.
#[cfg(target_os = "linux")]
fn children() -> Vec<PathBuf> {
    let parent = format!("PPid:\t{}", std::process::id());
    let entries = std::fs::read_dir("/proc").unwrap();
    let is_child = |path: &PathBuf| {
        std::fs::read_to_string(path.join("status"))
            .is_ok_and(|status| status.lines().any(|line| line == parent))
    };
    entries.map(|entry| entry.unwrap().path()).filter(is_child).collect()
}

/// Whether a descriptor of this process, other than the standard streams, is passed on to every process it starts.
#[cfg(target_os = "linux")]
fn is_inherited(name: &str) -> bool {
    const CLOSE_ON_EXEC: u32 = 0o2_000_000;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{name}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & CLOSE_ON_EXEC == 0)
}

#[tokio::test]
async fn what_is_in_order_runs_as_if_it_were_compiled_here() {
    let _alone = ALONE.lock().await;
    let component = load(&engine(child()), upper());
    let output = finish(Command::new(component.clone()).spawn().unwrap(), b"a").await;
    assert_eq!(output.stdout, b"A");
    assert_eq!(component.code_origin(), Some(CodeOrigin::Compiled));
    let module = std::fs::read(wasi_sidecar_guests::module("upper").unwrap()).unwrap();
    let output = finish(Command::new(load(&engine(child()), module)).spawn().unwrap(), b"b").await;
    assert_eq!(output.stdout, b"B");
}

#[tokio::test]
async fn what_is_wrong_with_an_artifact_is_told_as_if_it_were_compiled_here() {
    let _alone = ALONE.lock().await;
    let large = r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#;
    let wasm = wat::parse_str(large).unwrap();
    let here = load(&Engine::new(&EngineConfig::new()).unwrap(), wasm.clone());
    let isolated = load(&engine(child()), wasm);
    let (kind, text, _) = refused(&isolated).await;
    assert_eq!((kind, text), {
        let (kind, text, _) = refused(&here).await;
        (kind, text)
    });
    assert_eq!(kind, ErrorKind::Unsupported);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_bomb_of_memory_ends_in_its_own_process() {
    let _alone = ALONE.lock().await;
    let wasm = bombs::doubling(26);
    assert!(wasm.len() < 2000, "{} bytes", wasm.len());
    let engine = engine(child().memory(512 << 20));
    soon(load(&engine, upper()).compile()).await.unwrap();
    let peak = || {
        // What this process has ever held; the child is not counted.
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    };
    let before = peak();
    let (kind, text, _) = refused(&load(&engine, wasm)).await;
    assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
    assert!(text.starts_with("it does not compile within"), "a scan has refused it: {text}");
    let grown = peak() - before;
    assert!(grown < 50 << 20, "{grown} bytes");
    // Nothing is left of it, and the next one compiles.
    soon(load(&engine, upper()).compile()).await.unwrap();
}

#[tokio::test]
async fn a_bomb_of_time_ends_at_its_limit() {
    let _alone = ALONE.lock().await;
    let wasm = bombs::loops(200);
    assert!(wasm.len() < 12_000, "{} bytes", wasm.len());
    #[cfg(unix)]
    {
        let component = load(&engine(child().cpu_time(Duration::from_secs(1))), wasm.clone());
        let (kind, text, took) = refused(&component).await;
        assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
        assert!(text.contains("CPU time"), "{text}");
        assert!(took >= Duration::from_millis(500), "{took:?}");
    }
    let component = load(&engine(child().time(Duration::from_millis(300))), wasm.clone());
    let (kind, text, took) = refused(&component).await;
    assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
    assert!(text.contains("more than 300 ms on the clock"), "{text}");
    assert!(took >= Duration::from_millis(300), "{took:?}");
    // It is known by now, and not tried again.
    assert!(matches!(component.status(), Status::Failed(_)));
    assert!(refused(&component).await.2 < Duration::from_millis(200));
}

#[tokio::test]
async fn a_failure_is_remembered_until_its_limit_is_raised() {
    let _alone = ALONE.lock().await;
    let wasm = bombs::loops(201);
    let limited = |ms| child().time(Duration::from_millis(ms));
    // With somebody who waits: what has no time in the background may have it later.
    let refused = async |component: &Component| {
        let error = soon(Command::new(component.clone()).output()).await.expect_err("a bomb");
        (error.kind(), error.to_string())
    };
    let (kind, text) = refused(&load(&engine(limited(250)), wasm.clone())).await;
    assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
    assert!(text.contains("raise `CompileChild::time`, to `1s`"), "{text}");

    // Another engine of the same process, with a limit that is no higher. Nothing is started: there is no such program.
    let nowhere = |ms| {
        let child = CompileChild::program("/nowhere/at/all", ambient_authority());
        engine(child.time(Duration::from_millis(ms)))
    };
    let (kind, again) = refused(&load(&nowhere(250), wasm.clone())).await;
    assert_eq!((kind, again), (ErrorKind::CompileLimit, text));
    assert_eq!(refused(&load(&nowhere(200), wasm.clone())).await.0, ErrorKind::CompileLimit);
    // With a higher one it is tried.
    assert_eq!(refused(&load(&nowhere(251), wasm)).await.0, ErrorKind::NotFound);
    assert_eq!(refused(&load(&nowhere(250), bombs::loops(202))).await.0, ErrorKind::NotFound);
}

/// The niceness of the threads of a compile child that compile, once there are any.
#[cfg(target_os = "linux")]
async fn niceness(process: &std::path::Path) -> i32 {
    soon(async {
        loop {
            let threads = std::fs::read_dir(process.join("task")).into_iter().flatten().flatten();
            // Before it is another program it has the name of the thread that started it.
            for thread in threads.filter(|thread| Some(&*thread.file_name()) != process.file_name())
            {
                let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                if let Some((name, rest)) = stat.rsplit_once(')')
                    && name.contains("(wasi-sidecar-co")
                {
                    return rest.split_whitespace().nth(16).unwrap().parse().unwrap();
                }
            }
            assert!(process.exists(), "it ended");
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[cfg(target_os = "linux")]
async fn only_child() -> PathBuf {
    soon(async {
        loop {
            if let [one] = &*children() {
                break one.clone();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_guest_waits_for_has_the_priority_of_the_app_and_a_preload_a_low_one() {
    let _alone = ALONE.lock().await;
    let ours = rustix::process::getpriority_process(None).unwrap();
    let urgent = load(&engine(child()), bombs::loops(203));
    let mut guest = Command::new(urgent).spawn().unwrap();
    assert_eq!(niceness(&only_child().await).await, ours);
    soon(guest.kill()).await.unwrap();
    while !children().is_empty() {
        tokio::task::yield_now().await;
    }

    let preloaded = load(&engine(child()), bombs::loops(203));
    let compiling = tokio::spawn({
        let component = preloaded.clone();
        async move { component.compile().await }
    });
    let first = only_child().await;
    assert_eq!(niceness(&first).await, (ours + 10).min(19));

    // It gets no time at all, as on a very busy machine. Then somebody waits.
    let pid = first.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let mut guest = Command::new(preloaded.clone()).spawn().unwrap();
    let second = soon(async {
        loop {
            let other = only_child().await;
            if other != first {
                break other;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(niceness(&second).await, ours, "it was begun anew");
    soon(guest.kill()).await.unwrap();
    compiling.abort();
    while !children().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_that_the_system_kills_is_no_limit_and_is_tried_again() {
    let _alone = ALONE.lock().await;
    let component = load(&engine(child()), bombs::loops(204));
    for _ in 0..2 {
        let compiling = tokio::spawn({
            let component = component.clone();
            async move { component.compile().await }
        });
        let process = only_child().await;
        niceness(&process).await;
        let pid = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let error = soon(compiling).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().contains("was killed"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_kill_while_compiling_returns_at_once_and_leaves_nothing() {
    let _alone = ALONE.lock().await;
    let component = load(&engine(child()), bombs::loops(200));
    let mut watch = component.watch_status();
    let mut guest = Command::new(component.clone()).spawn().unwrap();
    while !matches!(component.status(), Status::Compiling { .. }) {
        soon(watch.changed()).await;
    }
    while children().is_empty() {
        tokio::task::yield_now().await;
    }
    let begin = Instant::now();
    soon(guest.kill()).await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(200), "{:?}", begin.elapsed());
    // Nobody waits for the code any more.
    while !matches!(component.status(), Status::NotAsked) {
        soon(watch.changed()).await;
    }
    assert_eq!(children(), Vec::<PathBuf>::new());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn eight_callers_share_one_child_that_holds_nothing_but_its_pipes() {
    let _alone = ALONE.lock().await;
    let component = load(&engine(child()), bombs::loops(200));
    let guests: Vec<_> = (0..8).map(|_| Command::new(component.clone()).spawn().unwrap()).collect();
    let mut seen = children();
    while seen.is_empty() {
        tokio::task::yield_now().await;
        seen = children();
    }
    let process = seen[0].clone();
    // It is ready when it has taken its limits.
    let read = |name: &str| std::fs::read(process.join(name)).unwrap_or_default();
    while !String::from_utf8_lossy(&read("limits")).lines().any(|line| {
        line.starts_with("Max open files") && line.split_whitespace().nth(3) == Some("3")
    }) {
        tokio::task::yield_now().await;
    }
    assert_eq!(children().len(), 1);
    let descriptors: Vec<_> = std::fs::read_dir(process.join("fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // What started this process may have left descriptors open for all that come after it.
        .filter(|name| !is_inherited(name))
        .collect();
    assert!(descriptors.iter().all(|name| ["0", "1", "2"].contains(&&**name)), "{descriptors:?}");
    let environment = String::from_utf8_lossy(&read("environ")).into_owned();
    let names: Vec<_> =
        environment.split_terminator('\0').filter_map(|entry| entry.split('=').next()).collect();
    assert!(
        names.iter().all(|name| ["WASI_SIDECAR_COMPILE_CHILD", "LD_LIBRARY_PATH"].contains(name)),
        "{names:?}"
    );
    for mut guest in guests {
        soon(guest.kill()).await.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_that_dies_is_a_limit_and_harms_nobody() {
    let _alone = ALONE.lock().await;
    let component = load(&engine(child()), bombs::loops(200));
    let compiling = tokio::spawn({
        let component = component.clone();
        async move { component.compile().await }
    });
    let mut watch = component.watch_status();
    while !matches!(component.status(), Status::Compiling { .. }) {
        soon(watch.changed()).await;
    }
    let process = loop {
        tokio::task::yield_now().await;
        // It is one once it no longer is a copy of this process.
        let is_child = |path: &&PathBuf| {
            std::fs::read_to_string(path.join("limits")).is_ok_and(|limits| {
                limits.lines().any(|line| {
                    line.starts_with("Max open files")
                        && line.split_whitespace().nth(3) == Some("3")
                })
            })
        };
        if let Some(path) = children().iter().find(is_child) {
            break path.file_name().unwrap().to_str().unwrap().parse::<i32>().unwrap();
        }
    };
    let process = rustix::process::Pid::from_raw(process).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::ABORT).unwrap();
    let error = soon(compiling).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CompileLimit, "{error}");
}

/// A program that is no compile child: it says something else, or nothing.
#[cfg(unix)]
#[tokio::test]
async fn a_program_that_is_no_child_is_noticed_before_it_sees_the_artifact() {
    let _alone = ALONE.lock().await;
    for program in ["/bin/cat", "/bin/true"] {
        let child = CompileChild::program(program, ambient_authority());
        let engine = engine(child);
        // What looks harmless is compiled here, the rest is refused.
        let output = finish(Command::new(load(&engine, upper())).spawn().unwrap(), b"a").await;
        assert_eq!(output.stdout, b"A", "{program}");
        let (kind, text, _) = refused(&load(&engine, bombs::doubling(26))).await;
        assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
    }
    let child = CompileChild::program("/nowhere/at/all", ambient_authority());
    let (kind, _, _) = refused(&load(&engine(child), upper())).await;
    assert_eq!(kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_trusted_artifact_is_compiled_here() {
    // In a program that is none, nothing else would work.
    let nowhere = || engine(CompileChild::program("/nowhere/at/all", ambient_authority()));
    let pin = wasi_sidecar::Digest::of(&upper());
    let pinned = Component::load(&nowhere(), upper(), LoadOptions::new().pin(pin)).unwrap();
    soon(pinned.compile()).await.unwrap();
    let trusted = Component::load(&nowhere(), upper(), LoadOptions::new().trusted()).unwrap();
    soon(trusted.compile()).await.unwrap();
}

#[test]
fn a_program_that_never_asked_cannot_be_one() {
    let error = CompileChild::this_program(ambient_authority()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("enter_if_asked"), "{error}");
}

#[tokio::test]
async fn a_scan_refuses_bombs_and_nothing_else() {
    let engine = Engine::new(&EngineConfig::new().compile_scanned()).unwrap();
    for wasm in [bombs::doubling(20), bombs::doubling(60), bombs::loops(200), bombs::locals(100)] {
        let (kind, text, took) = refused(&load(&engine, wasm)).await;
        assert_eq!(kind, ErrorKind::CompileLimit, "{text}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    for harmless in [upper(), bombs::doubling(3), bombs::loops(5), bombs::locals(1)] {
        soon(load(&engine, harmless).compile()).await.unwrap();
    }
}

/// The large ones, of other languages: only the scan, since each takes long to compile.
#[tokio::test]
async fn a_scan_finds_nothing_in_interpreters() {
    let engine = Engine::new(&EngineConfig::new().compile_scanned()).unwrap();
    for language in ["python", "js", "go", "c"] {
        let path = wasi_sidecar_guests::directory().join(language).join("echo.wasm");
        let component = load(&engine, std::fs::read(path).unwrap());
        let compiling = tokio::spawn({
            let component = component.clone();
            async move { component.compile().await }
        });
        // A scan takes a moment, compiling these takes long: what is compiled has passed.
        let refused = tokio::time::timeout(Duration::from_secs(2), compiling).await;
        if let Ok(done) = refused {
            done.unwrap().unwrap_or_else(|error| panic!("{language}: {}", error.chain()));
        }
    }
}
