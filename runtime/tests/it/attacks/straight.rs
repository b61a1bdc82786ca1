//! J: calls of the host in a straight line, which pass none of the places where the compiler has a guest look for an interrupt.
//!
//! Each guest says that it is ready, makes thousands of calls, and says that it is done. Nobody may ever hear the latter: it is
//! ended at its limit or by a kill long before.

use std::{
    fmt::Write as _,
    rc::Rc,
    sync::Mutex,
    time::{Duration, Instant},
};

use wasi_sidecar::{Access, Command, Component, Limits, Stdio};

use super::{
    place::Place,
    table::{Row, row},
    wasm::{self, Parts, end, kill, load, ready},
};
use crate::support::{soon, wat};

/// The first case after those that were counted before.
const CASE: u16 = 135;

/// What a guest may take that would take ten times as long, and more.
const LIMIT: Duration = Duration::from_millis(10);

/// What it may be late, at the best of three times.
const LATE: Duration = Duration::from_millis(200);

/// Functions that the calls are spread over.
const FUNCTIONS: usize = 200;

const EXPECTED: &str = "out of time; out of CPU time; killed; a neighbour ended before it";

const IDLE: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// A call that is made again and again.
#[derive(Clone, Copy)]
struct Call {
    what: &'static str,
    text: &'static str,
    is_module: bool,
}

const fn module(what: &'static str, text: &'static str) -> Call {
    Call { what, text, is_module: true }
}

const fn component(what: &'static str, text: &'static str) -> Call {
    Call { what, text, is_module: false }
}

/// How often each is made. Together with random bytes in between they take many times the limit.
const COUNT: usize = 2000;

/// A call that takes a while, after each of those that may take little.
const MODULE_PAUSE: &str = "(drop (call $random (i32.const 65536) (i32.const 65536)))";
const PAUSE: &str = "(call $random (i64.const 65536) (i32.const 2048))";

const CALLS: [Call; 16] = [
    module("random bytes", "(drop (call $random (i32.const 65536) (i32.const 65536)))"),
    module(
        "writes to nowhere",
        "(drop (call $write (i32.const 2) (i32.const 1008) (i32.const 1) (i32.const 2048)))",
    ),
    module(
        "writes to a pipe",
        "(drop (call $write (i32.const 1) (i32.const 1016) (i32.const 1) (i32.const 2048)))",
    ),
    module(
        "looks at the clock",
        "(drop (call $clock (i32.const 0) (i64.const 1) (i32.const 2048)))",
    ),
    module(
        "metadata",
        "(drop (call $stat (i32.const 3) (i32.const 1) (i32.const 1040) (i32.const 4) (i32.const 4096)))",
    ),
    module(
        "listings",
        "(drop (call $readdir (i32.const 3) (i32.const 65536) (i32.const 65536) (i64.const 0) (i32.const 2048)))",
    ),
    module(
        "polls that end at once",
        "(drop (call $poll (i32.const 1200) (i32.const 4096) (i32.const 1) (i32.const 2048)))",
    ),
    module("its environment", "(drop (call $environment (i32.const 131072) (i32.const 262144)))"),
    module(
        "opening and closing a file",
        "(drop (call $open (i32.const 3) (i32.const 1) (i32.const 1040) (i32.const 4) (i32.const 0)
           (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 4096)))
         (drop (call $close (i32.load (i32.const 4096))))",
    ),
    module("growing by nothing", "(drop (memory.grow (i32.const 0)))"),
    module("filling memory", "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 2097152))"),
    component("random bytes", "(call $random (i64.const 65536) (i32.const 2048))"),
    component(
        "writes of a megabyte to nowhere",
        "(call $write (global.get $err) (i32.const 65536) (i32.const 1000000) (i32.const 2048))",
    ),
    component("looks at the clock", "(drop (call $now))"),
    component("timers, made and dropped", "(call $drop-pollable (call $after (i64.const 0)))"),
    component("polls that end at once", "(call $block (global.get $timer))"),
];

pub(super) fn rows() -> Vec<Row> {
    let shapes = [("in a straight line", false), ("from 200 functions", true)];
    let rows = CALLS.into_iter().flat_map(|call| {
        shapes.map(move |(shape, spread)| {
            let kind = if call.is_module { "a module" } else { "a component" };
            let attack = format!("{kind}, {COUNT} times {}, {shape}", call.what);
            row(CASE, attack, EXPECTED, async move |place| {
                tried(&call.loaded(spread), &place).await
            })
        })
    });
    rows.collect()
}

/// Has all of them in the code cache: what the compiler holds on to is not the attacks'.
pub(super) async fn compile_all() {
    for call in CALLS {
        for spread in [false, true] {
            call.loaded(spread).compile().await.unwrap_or_else(|error| panic!("{}", error.chain()));
        }
    }
}

impl Call {
    fn loaded(&self, spread: bool) -> Component {
        let Self { text, is_module, .. } = *self;
        let wasm = if is_module { as_module(text, spread) } else { as_component(text, spread) };
        load(&wasm).unwrap_or_else(|error| panic!("{}", error.chain()))
    }
}

/// So many calls, and how they are begun.
fn body(call: &str, spread: bool) -> (String, String) {
    let one = format!("{call}\n");
    if !spread {
        return (String::new(), one.repeat(COUNT));
    }
    let (mut functions, mut start) = (String::new(), String::new());
    for number in 0..FUNCTIONS {
        write!(functions, "(func $f{number} {})", one.repeat(COUNT / FUNCTIONS)).unwrap();
        write!(start, "(call $f{number})").unwrap();
    }
    (functions, start)
}

fn as_module(call: &str, spread: bool) -> Vec<u8> {
    let (functions, start) = body(&format!("{call} {MODULE_PAUSE}"), spread);
    let text = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environment (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 64)
  (data (i32.const 1000) "\00\04\00\00\06\00\00\00") (data (i32.const 1024) "ready\n")
  (data (i32.const 1008) "\00\00\01\00\00\00\10\00") (data (i32.const 1016) "\00\00\01\00\00\04\00\00")
  (data (i32.const 1040) "file") (data (i32.const 1056) "\50\04\00\00\05\00\00\00") (data (i32.const 1104) "done\n")
  {functions}
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 1) (i32.const 2048)))
    {start}
    (drop (call $write (i32.const 1) (i32.const 1056) (i32.const 1) (i32.const 2048)))))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn as_component(call: &str, spread: bool) -> Vec<u8> {
    let (functions, start) = body(&format!("{call} {PAUSE}"), spread);
    let body = format!(
        r#"(global $err (mut i32) (i32.const 0)) (global $timer (mut i32) (i32.const 0))
        (data (i32.const 1104) "done\n") {functions}
        (func (export "run") (result i32) (call $say)
          (global.set $err (call $get-stderr)) (global.set $timer (call $after (i64.const 0)))
          {start}
          (call $blocking-write (call $get-stdout) (i32.const 1104) (i32.const 5) (i32.const 2048)) (i32.const 0))"#
    );
    // Lists come to one place again and again.
    let realloc =
        r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))"#;
    wasm::component(&Parts { body: &body, realloc, ..Parts::default() })
}

async fn tried(component: &Component, place: &Rc<Place>) -> String {
    let command = || {
        let mut command = Command::new(component.clone());
        command.stderr(Stdio::null());
        if component.artifact().imports().iter().any(|name| name.ends_with("environ_get")) {
            for number in 0..1000 {
                command.env(format!("NAME{number}"), "x".repeat(200));
            }
            command.grants(place.granted(Access::ReadOnly));
        }
        command
    };
    component.compile().await.unwrap_or_else(|error| panic!("{}", error.chain()));
    let mut ends = Vec::new();
    for limits in [Limits::new().time(LIMIT), Limits::new().cpu_time(LIMIT)] {
        ends.push(ended(command().limits(limits), false).await);
    }
    ends.push(ended(&command(), true).await);
    ends.push(neighbour(&command()).await);
    ends.join("; ")
}

/// How it ended, by itself or killed; and if that came late each time, how late.
async fn ended(command: &Command, killed: bool) -> String {
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        // One with a limit may reach it before it has said anything, on a busy machine.
        let mut child = if killed { ready(command).await } else { command.spawn().unwrap() };
        let spawned = Instant::now();
        // What a call of the library that is not `async` keeps its caller for, while the guest works.
        drop(command.spawn().map(|mut other| other.start_kill()));
        measured(Measured::Held, spawned.elapsed() / 2);
        let since = Instant::now();
        let mut output = child.stdout.take().unwrap();
        let said = async {
            let mut said = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut output, &mut said).await;
            said
        };
        let status = async {
            if killed {
                tokio::time::sleep(LIMIT).await;
                kill(&mut child).await
            } else {
                end(&soon(child.wait()).await.unwrap())
            }
        };
        let (said, end) = tokio::join!(said, status);
        if said.ends_with(b"done\n") {
            return format!("{end}, at its end");
        }
        let late = since.elapsed().saturating_sub(LIMIT);
        measured(if killed { Measured::Kill } else { Measured::Limit }, late);
        shortest = shortest.min(late);
        if shortest < LATE {
            return end;
        }
    }
    format!("{shortest:?} too late")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measured {
    Limit,
    Kill,
    Held,
}

static MEASURED: Mutex<Vec<(Measured, Duration)>> = Mutex::new(Vec::new());

fn measured(what: Measured, took: Duration) {
    MEASURED.lock().unwrap().push((what, took));
}

/// Shown with the output of the test: the median and the maximum of each. `docs/attacks.md` has the figures of one run.
#[expect(clippy::print_stderr, reason = "shown with the output of the test")]
pub(super) fn tell_latency() {
    let all = MEASURED.lock().unwrap();
    let kinds =
        [(Measured::Limit, "limit"), (Measured::Kill, "kill"), (Measured::Held, "caller held")];
    for (what, name) in kinds {
        let mut took: Vec<_> =
            all.iter().filter(|(of, _)| *of == what).map(|(_, took)| *took).collect();
        took.sort();
        // A row in a process of its own measures nothing.
        if let (Some(median), Some(most)) = (took.get(took.len() / 2), took.last()) {
            eprintln!("latency: {name}: {} times, median {median:?}, most {most:?}", took.len());
        }
    }
}

/// Whether a guest that does nothing ends while three of these work.
async fn neighbour(command: &Command) -> String {
    let mut attackers = Vec::new();
    for _ in 0..3 {
        attackers.push(ready(command).await);
    }
    let readers: Vec<_> = attackers
        .iter_mut()
        .map(|child| {
            let mut output = child.stdout.take().unwrap();
            tokio::spawn(async move { while let Ok(Some(_)) = output.chunk().await {} })
        })
        .collect();
    let status = soon(Command::new(wat(IDLE)).status()).await.unwrap();
    let all_at_work = attackers.iter_mut().all(|child| child.try_wait().unwrap().is_none());
    for mut child in attackers {
        kill(&mut child).await;
    }
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    match (status.success(), all_at_work) {
        (true, true) => "a neighbour ended before it".into(),
        (true, false) => "a neighbour had to wait".into(),
        (false, _) => format!("the neighbour: {}", end(&status)),
    }
}
