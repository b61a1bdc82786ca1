//! I: faults of the process that guests run in.

use std::time::{Duration, Instant};

use wasi_sidecar::{
    Access, Command, Component, Engine, EngineConfig, Grants, LoadOptions, NativeProgram,
    ambient_authority,
};

use super::{
    filesystem,
    place::Place,
    table::{On, Row, held, row},
    wasm::{self, end, kill, load, ready, refused, starting},
};
use crate::support::{finish, guest, run, soon, text};

/// Guests at the end of an application: of each of five kinds, and those that hang in a file call. They are 50 together.
const AT_THE_END: usize = 8;
const HANGING: usize = 50 - 5 * AT_THE_END;

/// What that end may take. Far beyond what it takes: whoever closes an application waits no longer.
const END: Duration = Duration::from_secs(3);

/// Guests started one after the other where there is too little memory.
const STARVED: usize = 1000;

const FAULTS: &str = "cli/tests/cli/faults.rs";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            127,
            "no descriptor left, a guest without directories",
            "refused: input or output",
            async |place| descriptors(&place, false).await,
        )
        .on(On::Linux)
        .alone(),
        row(
            127,
            "no descriptor left, a guest with a directory",
            "refused: input or output",
            async |place| descriptors(&place, true).await,
        )
        .on(On::Linux)
        .alone(),
        held(
            127,
            "each open, write, sync, link, thread and process that the system refuses, one at a time",
            FAULTS,
            "each_call_that_the_system_refuses_is_an_error_or_no_matter",
        ),
        held(
            127,
            "files that cannot grow, and an output that takes nothing",
            FAULTS,
            "a_full_disk_loses_nothing_without_a_word",
        ),
        held(
            127,
            "a kill in each call that writes",
            FAULTS,
            "a_kill_in_any_call_that_writes_leaves_nothing_torn",
        ),
        held(
            127,
            "a cache on a disk that takes nothing",
            "runtime/src/cache/tests.rs",
            "a_cache_that_cannot_be_written_only_costs_time",
        ),
        held(
            128,
            "a panic of the host while it serves a guest",
            "runtime/src/exec/polled.rs",
            "a_panic_while_a_guest_is_served_ends_the_guest_only",
        ),
        row(
            129,
            format!(
                "an application that ends with 50 busy and blocked guests, {HANGING} of which read a FIFO"
            ),
            "all of it within 3 s",
            async |place| {
                place.fifo();
                let granted = place.granted(Access::ReadWrite);
                let took = tokio::task::spawn_blocking(|| ended(granted)).await.unwrap();
                let hung = place.somebody_hangs();
                while place.somebody_hangs() {
                    tokio::task::yield_now().await;
                }
                match (took < END, hung || cfg!(not(target_os = "linux"))) {
                    (true, true) => "all of it within 3 s".into(),
                    (true, false) => "none of them hung".into(),
                    (false, _) => format!("after {took:?}"),
                }
            },
        ),
        held(
            129,
            "an app with a window that is closed while 50 guests are busy and blocked",
            "host-plugin/harness/e2e/exit.test.ts",
            "attacks_129_an_app_ends_within_three_seconds_whatever_its_guests_do",
        ),
        row(
            130,
            "a native program started beside a guest with directories",
            "no descriptor of the guest's",
            async |place| {
                let mut command = Command::new(guest("echo"));
                let child = command.grants(place.granted(Access::ReadWrite)).spawn().unwrap();
                let shell = NativeProgram::new("/bin/sh", ambient_authority());
                let output =
                    run(Command::new(shell).args(["-c", "ls -l /proc/self/fd"]), b"").await;
                finish(child, b"").await;
                let said = text(&output.stdout);
                let host = place.path("");
                if output.status.success()
                    && !said.contains(host.to_str().unwrap().trim_end_matches('/'))
                {
                    "no descriptor of the guest's".into()
                } else {
                    said
                }
            },
        )
        .on(On::Linux),
        held(
            132,
            "a ticker that has slept, woken by the next guest",
            "runtime/src/exec/ticker.rs",
            "it_ticks_while_a_guest_computes_and_ends_with_its_handle",
        ),
        held(
            132,
            "a ticker whose thread is stopped while guests compute",
            "runtime/src/exec/ticker.rs",
            "another_thread_ticks_while_its_own_is_stopped",
        ),
        held(
            132,
            "limits on time while the ticker's thread is stopped",
            FAULTS,
            "limits_on_time_hold_while_the_thread_that_interrupts_guests_is_stopped",
        ),
        held(
            132,
            "cache entries dated tomorrow, in a thousand years, 1970 and earlier",
            "runtime/src/cache/tests.rs",
            "a_clock_that_was_set_wrong_keeps_no_entry_for_ever_and_loses_none",
        ),
        held(
            132,
            "a guest that asks for the date while the clock is before 1970",
            "runtime/src/guest/store/clock.rs",
            "a_clock_before_1970_stands_at_its_beginning",
        ),
        held(
            132,
            "limits on time while the clock is set",
            "runtime/tests/it/tree.rs",
            "only_dates_rest_on_a_clock_that_can_be_set",
        ),
        row(133, "two engines, each with its guests", "each its own", async |_| {
            let command = |engine: &Engine| {
                Command::new(
                    Component::load(
                        engine,
                        starting("(call $exit (i32.const 5))"),
                        LoadOptions::new(),
                    )
                    .unwrap(),
                )
            };
            let engines = [(); 2].map(|()| Engine::new(&EngineConfig::new()).unwrap());
            let [one, other] = engines.each_ref().map(command);
            let ends = (wasm::ends(&one).await, wasm::ends(&other).await);
            if ends == ("exit 5".into(), "exit 5".into()) {
                "each its own".into()
            } else {
                format!("{ends:?}")
            }
        }),
        row(133, "an engine that is dropped while a guest runs", "killed", async |_| {
            let engine = Engine::new(&EngineConfig::new()).unwrap();
            let wasm = starting("(call $say) (loop $for-ever (br $for-ever))");
            let mut child =
                ready(&Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap()))
                    .await;
            drop(engine);
            kill(&mut child).await
        }),
        row(
            134,
            format!("{STARVED} guests with 512 MiB of addresses"),
            "an answer each",
            async |_| starved().await,
        )
        .on(On::Linux)
        .alone(),
        row(
            134,
            "output without end, collected with 512 MiB of addresses",
            "refused: input or output",
            async |_| unbounded_output().await,
        )
        .on(On::Linux)
        .alone(),
    ]
}

/// An application of its own, with a runtime of its own, and how long its end takes: that of its guests, of its engine and of
/// its runtime.
fn ended(granted: Grants) -> Duration {
    // First, so that they have come that far by the end.
    let reads = filesystem::component(
        &[filesystem::OPEN],
        "(i32.store (i32.const 0) (i32.const 0x6f666966))
         (call $open (local.get $p) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 2064))",
    );
    let kinds = [
        (reads, Some(granted.clone())),
        (starting("(call $say) (loop $for-ever (br $for-ever))"), None),
        (starting("(call $say) (loop $for-ever (br $for-ever))"), Some(granted)),
        (wasm::calling("(call $block (call $after (i64.const -1)))"), None),
        (wasm::calling("(call $blocking-read (call $get-stdin) (i64.const 1) (i32.const 2048))"), None),
        (
            wasm::calling(
                "(local.set $p (call $get-stdout))
                 (loop $for-ever
                   (call $blocking-write (local.get $p) (i32.const 1024) (i32.const 4096) (i32.const 2048))
                   (br $for-ever))",
            ),
            None,
        ),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let mut children = runtime.block_on(async {
        let mut children = Vec::new();
        for (n, (wasm, granted)) in kinds.into_iter().enumerate() {
            let mut command =
                Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap());
            if let Some(granted) = granted {
                command.grants(granted);
            }
            for _ in 0..(if n == 0 { HANGING } else { AT_THE_END }) {
                children.push(ready(&command).await);
            }
        }
        children
    });
    let since = Instant::now();
    drop(engine);
    runtime.block_on(async {
        for child in &mut children {
            child.start_kill().unwrap();
        }
        for child in &mut children {
            soon(child.wait()).await.unwrap();
        }
    });
    // Their threads end with the last of them, which the host-alive check counts.
    drop((children, runtime));
    since.elapsed()
}

/// With all descriptors of the process taken.
#[cfg(target_os = "linux")]
async fn descriptors(place: &Place, with_directory: bool) -> String {
    let component = load(&starting("")).unwrap();
    // Compiled before, as an application's would be.
    soon(component.compile()).await.unwrap();
    let mut command = Command::new(component);
    if with_directory {
        command.grants(place.granted(Access::ReadOnly));
    }
    let few = rustix::process::Rlimit { current: Some(64), maximum: None };
    let before = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let few = rustix::process::Rlimit { maximum: before.maximum, ..few };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, few).unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        taken.push(file);
    }
    let end = spawned(&command).await;
    drop(taken);
    if spawned(&command).await == "exit 0" { end } else { "nothing runs afterwards".into() }
}

/// How much address space the process may have; gives what it might before.
#[cfg(target_os = "linux")]
fn addresses(bytes: Option<u64>) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let before = getrlimit(Resource::As);
    setrlimit(Resource::As, Rlimit { current: bytes, maximum: before.maximum }).unwrap();
    before.current
}

/// Has 512 MiB of addresses more than it holds now.
#[cfg(target_os = "linux")]
async fn with_few_addresses<T>(work: impl Future<Output = T>) -> T {
    let held = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = held.split(' ').next().unwrap().parse().unwrap();
    let before = addresses(Some(pages * 4096 + (512 << 20)));
    let done = work.await;
    addresses(before);
    done
}

/// Every guest is refused or ends; none of them ends the process.
#[cfg(target_os = "linux")]
async fn starved() -> String {
    let component = load(&starting("(drop (memory.grow (i32.const 1000)))")).unwrap();
    soon(component.compile()).await.unwrap();
    let command = Command::new(component);
    with_few_addresses(async {
        for _ in 0..STARVED {
            let end = spawned(&command).await;
            let known = end.starts_with("trap") || end.starts_with("refused") || end == "exit 0";
            assert!(known, "{end}");
        }
    })
    .await;
    if spawned(&command).await == "exit 0" {
        "an answer each".into()
    } else {
        "nothing runs afterwards".into()
    }
}

/// More than there is memory for, where no other limit is meant.
#[cfg(target_os = "linux")]
async fn unbounded_output() -> String {
    // 4 MiB at a time.
    let flood = "(i32.store (i32.const 1004) (i32.const 0x380000))
        (loop $for-ever (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 1) (i32.const 2048)))
          (br $for-ever))";
    let component = load(&starting(flood)).unwrap();
    soon(component.compile()).await.unwrap();
    let mut command = Command::new(component);
    command.max_output(usize::MAX);
    with_few_addresses(wasm::ends(&command)).await
}

async fn spawned(command: &Command) -> String {
    match command.spawn() {
        Ok(mut child) => match soon(child.wait()).await {
            Ok(status) => end(&status),
            Err(error) => refused(&error),
        },
        Err(error) => refused(&error),
    }
}

#[cfg(not(target_os = "linux"))]
async fn descriptors(_: &Place, _: bool) -> String {
    "only Linux is asked".into()
}

#[cfg(not(target_os = "linux"))]
async fn starved() -> String {
    "only Linux is asked".into()
}

#[cfg(not(target_os = "linux"))]
async fn unbounded_output() -> String {
    "only Linux is asked".into()
}
