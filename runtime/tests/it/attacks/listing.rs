//! A: listing directories: names that are no text, and more of them than anybody wants in memory.

use std::fs;

use wasi_sidecar::{Access, Command, Component};

use super::{
    filesystem::{self, Call},
    grants::said,
    memory,
    paths::outcome,
    place::Place,
    table::{On, Row, row},
    wasm,
};
use crate::support::{guest, holding, module, run, temporary, text};

/// Names in a large directory. What the host keeps of one, times this, times the handles that a guest may have, is gigabytes.
const NAMES: usize = 100_000;

/// Memory that listing may take at any moment, whatever is listed how often. One directory of so many names is half of it.
const BOUND: u64 = 64 << 20;

pub(super) fn rows() -> Vec<Row> {
    let rows = [
        row(23, "a name that is no text, listed", "left out", async |place| {
            no_text(&place);
            left_out(&place, guest("fs-probe")).await
        }),
        row(23, "the same by preview1", "left out", async |place| {
            no_text(&place);
            left_out(&place, module("fs-probe")).await
        }),
        row(24, "a socket, a FIFO and a link to nothing, listed", "ok, ok", async |place| {
            odd(&place);
            let mut said_by = Vec::new();
            for component in [guest("fs-probe"), module("fs-probe")] {
                let mut command = Command::new(component);
                command.args(["list", "/data"]).grants(place.granted(Access::ReadOnly));
                said_by.push(said(&command).await);
            }
            said_by.join(", ")
        }),
        row(23, "the other names beside it, used by the same guest", "ok, ok", async |place| {
            no_text(&place);
            let mut command = Command::new(guest("fs-probe"));
            command.grants(place.granted(Access::ReadOnly));
            let script = b"list\t/data\nread\t/data/file\nlist\t/data/dir\n";
            let said = text(&run(&command, script).await.stdout);
            let outcomes: Vec<_> = said.lines().skip(1).map(outcome).collect();
            outcomes.join(", ")
        }),
        row(
            26,
            format!("a directory of {NAMES} names, listed until the handles are used up"),
            "out of handles; memory is bounded",
            async |_| listed(wasm::load(&without_end()).unwrap()).await,
        )
        .alone(),
        row(26, "the same by preview1, twice", "exit 0; memory is bounded", async |_| {
            let call = "(drop (call $readdir (i32.const 3) (i32.const 65536) (i32.const 4096)
                    (i64.const 90000) (i32.const 20)))";
            listed(wasm::load(&wasm::starting(&call.repeat(2))).unwrap()).await
        })
        .alone(),
    ];
    rows.into_iter().map(|row| row.on(On::Linux)).collect()
}

/// What guests of Rust trapped at, before a listing told them the kinds that the engine tells.
fn odd(place: &Place) {
    drop(std::os::unix::net::UnixListener::bind(place.inside().join("odd-socket")).unwrap());
    std::os::unix::fs::symlink("nothing", place.inside().join("odd-link")).unwrap();
    let fifo = place.inside().join("odd-fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
}

async fn left_out(place: &Place, component: Component) -> String {
    let mut command = Command::new(component);
    command.args(["list", "/data"]).grants(place.granted(Access::ReadOnly));
    let said = text(&run(&command, b"").await.stdout);
    match (outcome(&said).as_str(), said.contains("\"file\""), said.contains("bad")) {
        ("ok", true, false) => "left out".into(),
        _ => said,
    }
}

/// Before and after it, as a directory has them in no order.
fn no_text(place: &Place) {
    use std::os::unix::ffi::OsStrExt as _;

    let name = std::ffi::OsStr::from_bytes(b"bad\xff");
    fs::write(place.inside().join(name), "").unwrap();
}

async fn listed(component: Component) -> String {
    // In memory, where making so many files takes no time.
    let directory = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| temporary());
    for n in 0..NAMES {
        fs::write(directory.path().join(format!("a-name-as-files-have-them-{n}")), "").unwrap();
    }
    let mut command = Command::new(memory::compiled(component).await);
    command.grants(holding(directory.path(), Access::ReadOnly));
    memory::within(BOUND, wasm::ends(&command)).await
}

/// Begins listings of the first directory there is, and keeps them.
fn without_end() -> Vec<u8> {
    const LIST: Call = Call {
        name: "list",
        of: ("$files", "[method]descriptor.read-directory"),
        declared: r#"(param "self" (borrow $d)) (result (result (own $l) (error $error)))"#,
        core: "(param i32 i32)",
    };
    filesystem::component(
        &[LIST],
        "(loop $again
           (call $list (local.get $p) (i32.const 2064))
           (if (i32.load8_u (i32.const 2064)) (then (call $exit (i32.const 1))))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))",
    )
}
