//! J: what a guest takes of the host beside its own memory, and what it makes the host do in one go.

use std::{cell::RefCell, time::Duration};

use wasi_sidecar::{
    Access, Artifact, Child, Command, CommandEvent, Component, Engine, EngineConfig, ErrorKind,
    Framing, Limits, LoadOptions, Termination,
};

use super::{
    memory::ends_within,
    place::Place,
    table::{On, Row, row},
    wasm::{ends, ends_with, kill, load, naming, ready, refused, starting},
};
use crate::support::{guest, soon, wat};

/// What is to be refused is hundreds of megabytes.
const LITTLE: u64 = 48 << 20;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = instances();
    rows.extend(pool());
    rows.extend(at_once());
    rows.extend(edges());
    rows
}

/// A command that has so many instances of a module made, and nothing to do.
fn made_of(module: &str, instances: usize) -> Vec<u8> {
    let text = format!(
        r#"(component
          (core module $libc (memory (export "memory") 1024) (table (export "table") 1000 funcref))
          (core instance $libc (instantiate $libc))
          (core module $m {module})
          {}
          (core module $main (func (export "run") (result i32) (i32.const 0)))
          (core instance $main (instantiate $main))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance $exports (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $exports)))"#,
        r#"(core instance (instantiate $m (with "libc" (instance $libc))))"#.repeat(instances)
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn globals(count: usize) -> String {
    "(global i64 (i64.const 1))".repeat(count)
}

fn instances() -> Vec<Row> {
    let in_vain = |what: &str, expected: &'static str, module: String| {
        row(136, what, expected, async move |_| {
            ends_within(LITTLE, made_of(&module, 120), Limits::new().memory(65 << 20)).await
        })
        .on(On::Linux)
        .alone()
    };
    let elements = format!("(elem funcref {})", "(ref.func $f)".repeat(50_000));
    let data = format!(
        r#"(import "libc" "memory" (memory 1)) (data (i32.const 0) "{}")"#,
        "x".repeat(1 << 20)
    );
    let table = format!(
        r#"(import "libc" "table" (table 1 funcref)) (func $f) (elem (i32.const 0) func {})"#,
        "$f ".repeat(1000)
    );
    vec![
        in_vain(
            "120 instances of a module with 100000 globals",
            "out of memory; memory is bounded",
            globals(100_000),
        ),
        in_vain(
            "the same of 50000 elements that wait for their table",
            "out of memory; memory is bounded",
            format!("(func $f) {elements}"),
        ),
        in_vain(
            "120 instances that copy the same megabyte to the same place",
            "out of memory; memory is bounded",
            data,
        ),
        in_vain(
            "120 instances that set the same 1000 elements",
            "out of table elements; memory is bounded",
            table,
        ),
        row(
            136,
            "components in components, 3 to the power of 6 instances",
            "out of instances",
            async |_| {
                let mut text =
                    "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
                for level in 1..=6 {
                    let below = level - 1;
                    let three = format!("(instance (instantiate $c{below}))").repeat(3);
                    text = format!(
                        "{text} (component $c{level} (alias outer 1 $c{below} (component $c{below})) {three})"
                    );
                }
                let text = format!(
                    r#"(component {text} (instance (instantiate $c6))
                  (core module $main (func (export "run") (result i32) (i32.const 0)))
                  (core instance $main (instantiate $main))
                  (func $run (result (result)) (canon lift (core func $main "run")))
                  (instance $exports (export "run" (func $run)))
                  (export "wasi:cli/run@0.2.0" (instance $exports)))"#
                );
                let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
                ends_with(wasm, Limits::new()).await
            },
        ),
        row(136, "30 instances of a module with 1000 globals", "exit 0", async |_| {
            ends_with(made_of(&globals(1000), 30), Limits::new().memory(65 << 20)).await
        }),
    ]
}

/// Says that it is ready, has thrown and caught an exception, and waits.
fn throws(memories: usize) -> Vec<u8> {
    let text = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) {}
  (data (i32.const 1000) "\00\04\00\00\06\00\00\00") (data (i32.const 1024) "ready\n")
  (tag $tag)
  (func (export "_start")
    (block $caught (try_table (catch $tag $caught) (throw $tag)))
    (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 1) (i32.const 2048)))
    (drop (call $read (i32.const 0) (i32.const 1000) (i32.const 1) (i32.const 2048)))))"#,
        "(memory 1)".repeat(memories - 1)
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn pool() -> Vec<Row> {
    vec![row(
        137,
        "64 guests with 8 memories and an exception each, in all places of the pool, and one more",
        "each runs",
        async |_| {
            let engine = Engine::new(&EngineConfig::new()).unwrap();
            let command =
                Command::new(Component::load(&engine, throws(8), LoadOptions::new()).unwrap());
            let mut children = Vec::new();
            for _ in 0..64 {
                children.push(ready(&command).await);
            }
            let nothing = starting("(call $say)");
            let last =
                ends(&Command::new(Component::load(&engine, nothing, LoadOptions::new()).unwrap()))
                    .await;
            for child in &mut children {
                child.stdin.take();
                let status = soon(child.wait()).await.unwrap();
                if !status.success() {
                    return status.to_string();
                }
            }
            if last == "exit 0" { "each runs".into() } else { last }
        },
    )]
}

/// A name that stands for two to the power of `doublings` times as much text:
/// <https://doc.rust-lang.org/rustc/symbol-mangling/v0.html>.
fn symbol(doublings: usize) -> String {
    // Positions count from behind `_R`, in base 62 with `_` for 0 and `0_` for 1.
    let reference = |position: usize| {
        let digits: Vec<_> = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
        let number = position - 1;
        let high = number / 62;
        let high = if high == 0 { String::new() } else { digits[high].to_string() };
        format!("B{high}{}_", digits[number % 62])
    };
    let mut name = "INvC1a1f".to_owned();
    let mut last = name.len();
    name.push_str("TllE");
    for _ in 0..doublings {
        let here = name.len();
        name.push_str(&format!("T{0}{0}E", reference(last)));
        last = here;
    }
    format!("_R{name}E")
}

fn at_once() -> Vec<Row> {
    vec![
        row(
            138,
            "a trap in functions whose names stand for 2 to the power of 60 times as much text",
            "trap: unreachable, told in 4 KiB",
            async |_| {
                let name = symbol(60);
                let depth = 20;
                let calls: String = (1..depth)
                    .map(|number| {
                        format!("(func $f{number} (@name \"{name}\") (call $f{}))", number - 1)
                    })
                    .collect();
                let text = format!(
                "(module (memory (export \"memory\") 1) (func $f0 (@name \"{name}\") unreachable) {calls}
                   (func (export \"_start\") (call $f{})))",
                depth - 1
            );
                let component = wat(&text);
                let status = soon(Command::new(component).status()).await.unwrap();
                match status.termination() {
                    Termination::Trapped(text)
                        if text.len() <= 4096 && text.contains("a::f::<") =>
                    {
                        format!(
                            "trap: {}, told in 4 KiB",
                            text.lines()
                                .next()
                                .unwrap_or_default()
                                .replace("wasm ", "")
                                .replace("`unreachable` instruction executed", "unreachable")
                        )
                    }
                    other => format!("{other:?}"),
                }
            },
        ),
        row(
            138,
            "parts of a component that pass each other strings in different encodings",
            "refused: unsupported, naming encodings",
            async |_| {
                let wasm = transcoding("utf8", "utf16");
                // `inspect` says the same as a spawn.
                let artifact = Artifact::identify(&wasm).unwrap();
                assert_eq!(artifact.check_runnable().unwrap_err().kind(), ErrorKind::Unsupported);
                match load(&wasm) {
                    Ok(_) => "loaded".into(),
                    Err(error) => naming(&error, "encodings"),
                }
            },
        ),
        row(138, "the same in one encoding", "exit 0", async |_| {
            ends_with(transcoding("utf8", "utf8"), Limits::new()).await
        }),
    ]
}

/// One part has a string taken by another.
fn transcoding(lifted: &str, lowered: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
  (component $taker
    (core module $m (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "s" string)
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))
        string-encoding={lifted})))
  (component $giver
    (import "take" (func $take (param "s" string)))
    (core module $libc (memory (export "memory") 1) (data (i32.const 0) "hello"))
    (core instance $libc (instantiate $libc))
    (core func $take (canon lower (func $take) (memory (core memory $libc "memory")) string-encoding={lowered}))
    (core module $main (import "host" "take" (func $take (param i32 i32)))
      (func (export "run") (result i32) (call $take (i32.const 0) (i32.const 4)) (i32.const 0)))
    (core instance $main (instantiate $main (with "host" (instance (export "take" (func $take))))))
    (func (export "run") (result (result)) (canon lift (core func $main "run"))))
  (instance $taker (instantiate $taker))
  (instance $giver (instantiate $giver (with "take" (func $taker "take"))))
  (instance $exports (export "run" (func $giver "run")))
  (export "wasi:cli/run@0.2.0" (instance $exports)))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

thread_local! {
    static KEPT: RefCell<Option<Child>> = const { RefCell::new(None) };
}

fn edges() -> Vec<Row> {
    vec![
        row(
            139,
            "a child that is dropped as its thread ends",
            "the guest sees the end of its input",
            async |_| {
                let component = guest("echo");
                component.compile().await.unwrap();
                let mut child = Command::new(component).spawn().unwrap();
                let mut output = child.stdout.take().unwrap();
                // Its input is woken by the destructors of the thread's own values.
                let ended = std::thread::spawn(move || KEPT.set(Some(child))).join();
                let rest = soon(output.chunk()).await.unwrap();
                match (ended, rest) {
                    (Ok(()), None) => "the guest sees the end of its input".into(),
                    other => format!("{other:?}"),
                }
            },
        )
        .alone(),
        row(
            140,
            "the longest time there is, for a guest with a directory",
            "exit 0",
            async |place: std::rc::Rc<Place>| {
                let mut command = Command::new(load(&starting("(call $say)")).unwrap());
                command.limits(Limits::new().time(Duration::MAX).cpu_time(Duration::MAX));
                ends(command.grants(place.granted(Access::ReadOnly))).await
            },
        ),
        row(
            140,
            "unfinished lines held back for the longest time there is",
            "both come",
            async |_| {
                let child = Command::new(guest("echo")).spawn().unwrap();
                let framing = Framing::lines().partial_after(Duration::MAX);
                let (mut events, mut handle) = child.into_events(framing);
                soon(handle.write(b"unfinished")).await.unwrap();
                handle.close_stdin();
                let mut said = Vec::new();
                while let Some(event) = soon(events.recv()).await {
                    said.push(event);
                }
                match &said[..] {
                    [CommandEvent::Stdout(line), CommandEvent::Terminated(_)]
                        if line == b"unfinished" =>
                    {
                        "both come".into()
                    }
                    other => format!("{other:?}"),
                }
            },
        ),
        row(140, "more threads than a system has, for an engine", "refused: limit", async |_| {
            match Engine::new(&EngineConfig::new().workers(std::num::NonZero::<usize>::MAX)) {
                Ok(_) => "made".into(),
                Err(error) => refused(&error),
            }
        }),
        row(
            141,
            "a guest for which the host has no room",
            "refused: input or output",
            async |_| no_room().await,
        )
        .on(On::Linux)
        .alone(),
        row(142, "a kill of a guest that has ended by itself meanwhile", "one end", async |_| {
            let mut child = Command::new(guest("echo")).spawn().unwrap();
            child.stdin.take();
            let first = soon(child.wait()).await.unwrap();
            kill(&mut child).await;
            if soon(child.wait()).await.unwrap() == first {
                "one end".into()
            } else {
                "another".into()
            }
        }),
    ]
}

/// With addresses for everything but a guest's memory.
#[cfg(target_os = "linux")]
async fn no_room() -> String {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let engine = Engine::new(&EngineConfig::new().pooled_guests(0)).unwrap();
    let component = Component::load(&engine, starting("(call $say)"), LoadOptions::new()).unwrap();
    component.compile().await.unwrap();
    let used = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = used.split_whitespace().next().unwrap().parse().unwrap();
    let limit = Some(pages * 4096 + (1 << 30));
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).unwrap();
    match soon(Command::new(component).status()).await {
        Ok(status) => status.to_string(),
        Err(error) => refused(&error),
    }
}

#[cfg(not(target_os = "linux"))]
async fn no_room() -> String {
    String::new()
}
