//! How much memory the process of a row takes at most while a guest is at work. What the host-alive check counts is what is left
//! when the guest is gone. Rows that ask for it run alone, on Linux.

use std::fs;

use wasi_sidecar::{Command, Component, Limits};

use super::wasm;

/// What `work` observes, and whether the process has at no moment of it held so many bytes more than before.
pub(super) async fn within(bound: u64, work: impl Future<Output = String>) -> String {
    // What is made once is made now: threads, the pool of places, and what libraries keep.
    assert_eq!(wasm::ends_by_itself(wasm::starting("(call $say)")).await, "exit 0");
    forget();
    let before = peak();
    let observed = work.await;
    match peak().saturating_sub(before) {
        grown if grown < bound => format!("{observed}; memory is bounded"),
        grown => format!("{observed}; {grown} bytes more"),
    }
}

/// Compiled, which takes more memory than anything that is looked for here.
pub(super) async fn compiled(component: Component) -> Component {
    component.compile().await.unwrap();
    component
}

/// How it ends with these limits, and whether that took less than so many bytes.
pub(super) async fn ends_within(bound: u64, wasm: Vec<u8>, limits: Limits) -> String {
    let component = compiled(wasm::load(&wasm).unwrap()).await;
    within(bound, wasm::ends(Command::new(component).limits(limits))).await
}

/// The most memory that this process has held since [`forget`].
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// The most is what it holds now: <https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html>.
fn forget() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}
