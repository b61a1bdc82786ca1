//! B: computing, stack and memory.

use std::time::Duration;

use wasi_sidecar::{Access, Command, Component, Engine, EngineConfig, Limits, LoadOptions};

use super::{
    bare,
    memory::ends_within,
    table::{On, Row, held, row},
    wasm::{
        self, Parts, component, ends_by_itself, ends_with, kill, killed, killed_while, load, ready,
        running, starting,
    },
};
use crate::support::{guest, module, soon};

/// Starts and kills that are to leave nothing behind.
const CHURN: usize = 10_000;

/// Guests at once in the rows that are about many.
const MANY: usize = 40;

const SPIN: &str = "(loop $for-ever (br $for-ever))";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = endless();
    rows.extend(stack());
    rows.extend(memory());
    rows.extend(features());
    rows.extend(many());
    rows
}

/// A loop without an end, wherever code runs.
fn endless() -> Vec<Row> {
    let mut rows = vec![
        row(38, "an endless loop in `run`, killed", "killed", async |_| {
            killed(wasm::calling(SPIN)).await
        }),
        row(38, "the same in a module", "killed", async |_| {
            killed(starting(&format!("(call $say) {SPIN}"))).await
        }),
        row(38, "the same, started 64 times", "no caller is kept", async |_| {
            let component = load(&starting(&format!("(call $say) {SPIN}"))).unwrap();
            let mut kept = 0;
            for _ in 0..64 {
                let begin = std::time::Instant::now();
                let mut child = Command::new(component.clone()).spawn().unwrap();
                // Half of a tick; a spawn takes a hundredth of it.
                kept += usize::from(begin.elapsed() > Duration::from_micros(2500));
                child.kill().await.unwrap();
            }
            // Others run on the machine as well.
            if kept < 8 { "no caller is kept".into() } else { format!("{kept} are kept") }
        }),
        row(38, "the same in a guest that holds a directory", "killed", async |place| {
            let component = load(&starting(&format!("(call $say) {SPIN}"))).unwrap();
            killed_while(Command::new(component).grants(place.granted(Access::ReadOnly))).await
        }),
        row(
            38,
            format!("one of {MANY} endless loops, killed"),
            "killed, the others run",
            async |_| {
                let component = load(&starting(&format!("(call $say) {SPIN}"))).unwrap();
                let command = Command::new(component);
                let mut busy = Vec::new();
                for _ in 0..MANY {
                    busy.push(ready(&command).await);
                }
                let mut first = busy.swap_remove(MANY / 2);
                let end = kill(&mut first).await;
                let run_on = busy.iter_mut().all(|child| child.try_wait().unwrap().is_none());
                for child in &mut busy {
                    child.start_kill().unwrap();
                }
                for child in &mut busy {
                    soon(child.wait()).await.unwrap();
                }
                if run_on { format!("{end}, the others run") } else { "others ended".into() }
            },
        ),
        held(
            38,
            "who waits behind computing guests to be killed",
            "runtime/src/exec/polled.rs",
            "a_computing_guest_yields_once_for_each_kill",
        ),
        row(39, "an endless loop in a start function", "killed", async |_| {
            let text = format!(
                "(func $first (call $say) {SPIN}) (start $first) (func (export \"_start\"))"
            );
            killed(wasm::module(&text)).await
        }),
        row(39, "in the start function of a component's module", "killed", async |_| {
            let body = format!("(func $first (call $say) {SPIN}) (start $first) {}", running(""));
            killed(component(&Parts { body: &body, ..Parts::default() })).await
        }),
        row(39, "in the allocator that the host calls", "killed", async |_| {
            let realloc = format!(
                r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) {SPIN} (i32.const 0))"#
            );
            let body = running("(call $random (i64.const 8) (i32.const 2048))");
            killed(component(&Parts { body: &body, realloc: &realloc, ..Parts::default() })).await
        }),
        row(39, "in what runs after a return", "killed", async |_| {
            let body = format!(r#"{} (func (export "after") (param i32) {SPIN})"#, running(""));
            let lift = r#"(post-return (core func $guest "after"))"#;
            killed(component(&Parts { body: &body, lift, ..Parts::default() })).await
        }),
        row(39, "in the destructor of its own resource", "killed", async |_| {
            let own = format!(
                r#"(core module $drops (func (export "drop") (param i32) {SPIN}))
                   (core instance $dropping (instantiate $drops))
                   (type $thing (resource (rep i32) (dtor (core func $dropping "drop"))))
                   (core func $new-thing (canon resource.new $thing))
                   (core func $drop-thing (canon resource.drop $thing))"#
            );
            let given = r#"(export "new-thing" (func $new-thing)) (export "drop-thing" (func $drop-thing))"#;
            let imports = r#"(import "host" "new-thing" (func $new (param i32) (result i32)))
                (import "host" "drop-thing" (func $drop (param i32)))"#;
            let body = running("(call $drop (call $new (i32.const 1)))");
            let parts = Parts { body: &body, own: &own, imports, given, ..Parts::default() };
            killed(component(&parts)).await
        }),
        row(51, "copying its whole memory without end, killed", "killed", async |_| {
            // The first copy also has the system provide 195 MB, at a pace of its own. Guests used to make it inside of `spawn`.
            let body = "(drop (memory.grow (i32.const 3000)))
                (memory.copy (i32.const 65536) (i32.const 0) (i32.const 195000000))
                (call $say)
                (loop $again (memory.copy (i32.const 65536) (i32.const 0) (i32.const 195000000)) (br $again))";
            killed(starting(body)).await
        }),
        row(52, "computing for more than its CPU time", "out of CPU time", async |_| {
            ends_with(starting(SPIN), Limits::new().cpu_time(Duration::from_millis(60))).await
        }),
        row(52, "the same in small slices, with sleeps between", "out of CPU time", async |_| {
            let body = "(loop $again
                (local.set $i (i32.const 3000000))
                (loop $work (br_if $work (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
                (call $block (call $after (i64.const 1000000)))
                (br $again))";
            ends_with(
                wasm::calling(body),
                Limits::new().cpu_time(Duration::from_millis(60)).handles(100_000),
            )
            .await
        }),
        row(52, "an endless loop with a limit on its time", "out of time", async |_| {
            ends_with(starting(SPIN), Limits::new().time(Duration::from_millis(60))).await
        }),
    ];
    rows.push(row(
        53,
        "eight endless loops beside a guest that answers",
        "it answers",
        async |_| {
            let mut busy: Vec<_> =
                (0..8).map(|_| Command::new(guest("spin")).spawn().unwrap()).collect();
            let output = Command::new(guest("args")).arg("x").output().await.unwrap();
            for child in &mut busy {
                child.kill().await.unwrap();
            }
            if output.status.success() { "it answers".into() } else { wasm::end(&output.status) }
        },
    ));
    rows
}

fn stack() -> Vec<Row> {
    let deep_with = |body: &str| {
        wasm::module(&format!(
            r#"(func $deep {body} (call $deep)) (func (export "_start") (call $deep))"#
        ))
    };
    let plain = deep_with("");
    let calling = deep_with("(drop (call $random (i32.const 0) (i32.const 8)))");
    let expected = "trap: call stack exhausted";
    vec![
        row(40, "recursion without end", expected, {
            let wasm = plain.clone();
            async move |_| ends_by_itself(wasm).await
        })
        .bare(move |_| bare::run(&plain, &[], None).1),
        row(40, "recursion that calls the host on each level", expected, async move |_| {
            ends_by_itself(calling).await
        }),
        row(40, "recursion in the allocator that the host calls", expected, async |_| {
            let realloc = r#"(func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32)
                (call $realloc (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))"#;
            let body = running("(call $random (i64.const 8) (i32.const 2048))");
            ends_by_itself(component(&Parts { body: &body, realloc, ..Parts::default() })).await
        }),
    ]
}

fn memory() -> Vec<Row> {
    let grow = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))";
    let grown = starting(&format!("{grow} (call $exit (i32.const 3))"));
    let filled = starting(&format!(
        "{grow} (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))
         (call $exit (i32.const 3))"
    ));
    let limits = || Limits::new().memory(64 << 20);
    let bounded = |what, wasm| {
        row(42, what, "exit 3; memory is bounded", async move |_| {
            // What it may have, and 2 MiB for the rest of it, which takes up to 0.2.
            ends_within((64 + 2) << 20, wasm, limits()).await
        })
        .on(On::Linux)
        .alone()
    };
    let text = |text: String| move || wat::parse_str(&text).unwrap();
    let modules = |many: &str, count: usize| {
        let many = many.repeat(count);
        text(format!(r#"(module (memory (export "memory") 1) {many} (func (export "_start")))"#))
    };
    let instances = |module: &str, count: usize| {
        text(format!(
            r#"(component (core module $m {module}) {}
                 (core module $main (func (export "run") (result i32) (i32.const 0)))
                 (core instance $i (instantiate $main))
                 (func $run (result (result)) (canon lift (core func $i "run")))
                 (instance $exports (export "run" (func $run)))
                 (export "wasi:cli/run@0.2.0" (instance $exports)))"#,
            "(core instance (instantiate $m))".repeat(count)
        ))
    };
    let (memories, tables) = (modules("(memory 1)", 20), modules("(table 1 funcref)", 100));
    let (many, hundred) = (instances("(func)", 900), instances("(memory 1)", 100));
    let four = hundred.clone();
    vec![
        bounded("growing its memory until it is refused", grown),
        bounded("the same, and writing to all of it", filled),
        row(42, "faulting over memory that was refused", "out of memory", async move |_| {
            let body = "(drop (memory.grow (i32.const 65000))) unreachable";
            ends_with(starting(body), limits()).await
        }),
        row(43, "20 memories in a module", "out of memories", async move |_| {
            ends_by_itself(memories()).await
        }),
        row(43, "900 instances in a component", "out of instances", async move |_| {
            ends_by_itself(many()).await
        }),
        row(43, "100 instances with a memory each", "out of memories", async move |_| {
            ends_by_itself(hundred()).await
        }),
        row(43, "four such guests at once", "out of memories", async move |_| {
            let wasm = four();
            let one = || ends_by_itself(wasm.clone());
            let ends = tokio::join!(one(), one(), one(), one());
            let mut ends = vec![ends.0, ends.1, ends.2, ends.3];
            ends.dedup();
            ends.join(", ")
        }),
        row(44, "a memory of 4 GiB from the start", "out of memory", async |_| {
            let text = r#"(module (memory (export "memory") 65536) (func (export "_start")))"#;
            ends_by_itself(wat::parse_str(text).unwrap()).await
        }),
        row(45, "growing a table by 100,000,000", "exit 3", async |_| {
            let text = r#"(table $t 0 funcref) (func (export "_start")
                (if (i32.eq (table.grow $t (ref.null func) (i32.const 100000000)) (i32.const -1))
                  (then (call $exit (i32.const 3)))))"#;
            ends_by_itself(wasm::module(text)).await
        }),
        row(45, "100 tables", "out of tables", async move |_| ends_by_itself(tables()).await),
        row(48, "100,000 data segments", "exit 0", async |_| {
            ends_by_itself(with_segments(100_000)).await
        }),
        row(48, "one more, which no engine takes", "refused: damaged", async |_| {
            ends_by_itself(with_segments(100_001)).await
        }),
        row(48, "100 MiB of zeros in two data segments", "exit 0", async |_| {
            ends_by_itself(zeros(50 << 20)).await
        }),
        row(48, "the same, over the limit of memory", "out of memory", async |_| {
            ends_with(zeros(50 << 20), Limits::new().memory(64 << 20)).await
        }),
    ]
}

/// A module of one memory and these data segments; as text, large ones would be three times as long.
fn with_data(pages: usize, count: usize, segment: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let text = format!(r#"(module (memory (export "memory") {pages}) (func (export "_start")))"#);
    let mut module = wat::parse_str(text).unwrap();
    let mut body = Vec::new();
    unsigned(&mut body, count);
    (0..count).for_each(|n| body.extend(segment(n)));
    // The section of data comes after all that there are.
    module.push(11);
    unsigned(&mut module, body.len());
    module.extend(body);
    module
}

/// Passive and empty ones.
fn with_segments(count: usize) -> Vec<u8> {
    with_data(1, count, |_| vec![1, 0])
}

/// Two of so many zeros each, with which the memory begins.
fn zeros(length: usize) -> Vec<u8> {
    with_data((2 * length).div_ceil(65_536), 2, |n| {
        // Active, in memory 0, at a constant.
        let mut bytes = vec![0x00, 0x41];
        signed(&mut bytes, n * length);
        bytes.push(0x0b);
        unsigned(&mut bytes, length);
        bytes.resize(bytes.len() + length, 0);
        bytes
    })
}

/// LEB128.
fn unsigned(to: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The same of a number with a sign, which is not negative here.
fn signed(to: &mut Vec<u8>, mut number: usize) {
    while number > 0x3f {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Proposals of WebAssembly that are off.
fn features() -> Vec<Row> {
    let rows = [
        (
            44,
            "a 64-bit memory",
            "memory64",
            r#"(memory (export "memory") i64 1) (func (export "_start"))"#,
        ),
        (
            44,
            "a memory shared between threads",
            "several threads",
            r#"(memory (export "memory") 1 1 shared) (func (export "_start"))"#,
        ),
        (
            46,
            "arrays for the host to collect",
            "garbage collection",
            r#"(type $a (array (mut i8))) (memory (export "memory") 1)
            (func (export "_start") (drop (array.new $a (i32.const 0) (i32.const 2000000000))))"#,
        ),
        (
            47,
            "pages of one byte",
            "custom page sizes",
            r#"(memory (export "memory") 1 (pagesize 1)) (func (export "_start"))"#,
        ),
        (
            47,
            "threads of WASI",
            "several threads",
            r#"(import "wasi" "thread-spawn" (func (param i32) (result i32)))
            (memory (export "memory") 1) (func (export "_start"))"#,
        ),
        (
            47,
            "a stack switch",
            "stack switching",
            r#"(type $f (func)) (type $c (cont $f)) (memory (export "memory") 1)
            (func $g) (elem declare func $g)
            (func (export "_start") (drop (cont.new $c (ref.func $g))))"#,
        ),
    ];
    let row = |(case, what, proposal, text): (u16, &'static str, &'static str, &'static str)| {
        let expected = format!("refused: unsupported, naming {proposal}");
        row(case, what, expected, async move |_| {
            let wasm = wat::parse_str(format!("(module {text})")).unwrap();
            let refusal = match load(&wasm) {
                Ok(component) => component.compile().await.err(),
                Err(error) => Some(error),
            };
            match refusal {
                Some(error) => wasm::naming(&error, proposal),
                None => "it was compiled".into(),
            }
        })
    };
    let mut rows: Vec<Row> = rows.into_iter().map(row).collect();
    rows.extend(allowed_features());
    rows
}

/// Those that are on, where they could get around something.
fn allowed_features() -> Vec<Row> {
    let module = |text: &str| {
        wat::parse_str(format!(r#"(module (memory (export "memory") 1) {text})"#)).unwrap()
    };
    vec![
        row(47, "calls in place of returns, without end", "out of CPU time", async move |_| {
            let forever = module("(func $f (export \"_start\") (return_call $f))");
            ends_with(forever, Limits::new().cpu_time(Duration::from_millis(50))).await
        }),
        row(
            47,
            "a wait for a thread that there is not",
            "trap: atomic wait on non-shared memory",
            async move |_| {
                let wait =
                    "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))";
                let waiting = module(&format!("(func (export \"_start\") {wait})"));
                ends_with(waiting, Limits::new().time(Duration::from_secs(5))).await
            },
        ),
        row(
            47,
            "exceptions that hold each other, 256 MiB of them",
            "out of memory",
            async move |_| {
                let text = r#"(tag $t (param exnref)) (global $g (mut exnref) (ref.null exn))
                (func (export "_start") (loop $l
                  (global.set $g (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $t (global.get $g))) unreachable))
                  (br $l)))"#;
                ends_with(module(text), Limits::new()).await
            },
        ),
    ]
}

fn many() -> Vec<Row> {
    vec![
        row(
            49,
            format!("{MANY} idle guests, and one more than may run"),
            "refused: limit",
            async |_| {
                let engine = Engine::new(&EngineConfig::new().max_guests(MANY)).unwrap();
                let wasm = std::fs::read(wasi_sidecar_guests::module("echo").unwrap()).unwrap();
                let command =
                    Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap());
                let mut idle: Vec<_> = (0..MANY).map(|_| command.spawn().unwrap()).collect();
                let more = match command.spawn() {
                    Ok(_) => "it started".into(),
                    Err(error) => wasm::refused(&error),
                };
                for child in &mut idle {
                    if kill(child).await != "killed" {
                        return "one was not killed".into();
                    }
                }
                more
            },
        ),
        row(50, format!("{CHURN} guests, started and killed"), "all killed", async |_| {
            let command = Command::new(module("echo"));
            for _ in 0..CHURN {
                let mut child = command.spawn().unwrap();
                if kill(&mut child).await != "killed" {
                    return "one was not killed".into();
                }
            }
            "all killed".into()
        }),
    ]
}
