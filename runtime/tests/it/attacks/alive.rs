//! Looks at the host after an attack: whether it can still do what an application does, and has got back what it gave.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use wasi_sidecar::{Access, Command, Component};

use super::{bare, place::Place, wasm};
use crate::support::{guest, run, wat};

/// How long the guest that does its work may take, and how often it is tried on a machine that others use as well.
const CANARY: (Duration, usize) = (Duration::from_secs(2), 5);

/// How often what was given is counted before it counts as lost: guests that were given up end a little later.
const PATIENCE: usize = 2000;

/// What a process may hold more than before: what an allocator keeps, places of the pool that wait for the next guest, four
/// mappings each, and threads that wait for more work.
const SLACK: Held = Held { memory: 20 << 20, descriptors: 0, mappings: 64 + 4 * 64, threads: 8 };

/// Memory of such a process when it has compiled something and run guests. Whether its allocator has given most of that back
/// by the first row is chance, so less does not count as what it had before.
const WARM: usize = 36 << 20;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What this process holds of the system.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    memory: usize,
    descriptors: usize,
    mappings: usize,
    threads: usize,
}

pub(super) struct Alive {
    canary: Component,
    before: Held,
}

impl Alive {
    pub(super) async fn before() -> Self {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            told(panic);
        }));
        let canary = wat(r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\08\00\00\00\03\00\00\00ok\n")
            (func (export "_start")
              (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#);
        let mut alive = Self { canary, before: Held::default() };
        // Everything there is has then been made once: threads, and what libraries keep of `/proc`.
        let place = Place::new();
        let mut reader = Command::new(guest("fs-probe"));
        reader.args(["read", "/data/file"]).grants(place.granted(Access::ReadOnly));
        assert!(run(&reader, b"").await.status.success());
        // So does the engine, when it is used by itself.
        assert_eq!(bare::run(&wasm::starting("(call $say)"), &[], None).1, "exit 0");
        alive.works().await.unwrap();
        alive.before = held();
        alive.before.memory = alive.before.memory.max(WARM);
        alive
    }

    /// What is wrong, if anything is.
    pub(super) async fn check(&mut self) -> Result<(), String> {
        self.works().await?;
        if PANICS.swap(0, Ordering::Relaxed) > 0 {
            return Err("somebody had panicked".into());
        }
        let mut now = Held::default();
        for _ in 0..PATIENCE {
            now = held();
            if self.is_back(now) {
                return Ok(());
            }
            give_back();
            sleep(Duration::from_millis(5)).await;
        }
        // What is lost is told of the row that lost it, and waited for once.
        let before = std::mem::replace(&mut self.before, now);
        Err(format!("the process holds {now:?}, before {before:?}; {:?}", open()))
    }

    fn is_back(&self, now: Held) -> bool {
        let more = |field: fn(&Held) -> usize| field(&now) <= field(&self.before) + field(&SLACK);
        more(|held| held.memory)
            && more(|held| held.descriptors)
            && more(|held| held.mappings)
            && more(|held| held.threads)
    }

    /// A guest, a blocking task, a file, a socket and a thread.
    async fn works(&self) -> Result<(), String> {
        let (limit, tries) = CANARY;
        let mut said = Vec::new();
        for _ in 0..tries {
            if let Ok(output) = timeout(limit, Command::new(self.canary.clone()).output()).await {
                said = output.map_err(|error| error.chain())?.stdout;
                break;
            }
        }
        if said != b"ok\n" {
            return Err("another guest did not do its work".into());
        }
        let blocking = timeout(limit * 5, tokio::task::spawn_blocking(|| 1)).await;
        blocking.map_err(|_| "no blocking task runs")?.map_err(|error| error.to_string())?;
        std::fs::File::open(std::env::current_exe().unwrap()).map_err(|error| error.to_string())?;
        std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let thread = std::thread::Builder::new().spawn(|| ()).map_err(|error| error.to_string())?;
        thread.join().map_err(|_| "a thread failed".to_owned())
    }
}

#[cfg(target_os = "linux")]
fn held() -> Held {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let count = |folder: &str| std::fs::read_dir(format!("/proc/self/{folder}")).unwrap().count();
    // Not what is resident: of a file that is mapped, how much is read in is the kernel's affair.
    let rollup = read("smaps_rollup");
    let dirty = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kib = dirty.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    Held {
        memory: kib.expect("a number of kB") << 10,
        descriptors: count("fd"),
        mappings: read("maps").lines().count(),
        threads: count("task"),
    }
}

/// Has the allocator give back what nobody uses. How much it keeps of a hundred thousand small pieces depends on what lies
/// behind them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
fn give_back() {
    // SAFETY: it may be called by any thread at any time, and touches no memory that is in use.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

/// What the descriptors lead to, for whoever looks for the one too many.
#[cfg(target_os = "linux")]
fn open() -> Vec<std::path::PathBuf> {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    descriptors.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect()
}

#[cfg(not(target_os = "linux"))]
fn open() -> Vec<std::path::PathBuf> {
    Vec::new()
}

/// Where there is nothing to count with, that all of it works has to do.
#[cfg(not(target_os = "linux"))]
fn held() -> Held {
    Held::default()
}
