//! A: files that are not what they seem, and calls that no library would make.

use std::{fs, time::Duration};

use tokio::io::AsyncReadExt as _;
use wasi_sidecar::{Access, Command, Limits};

use super::{
    bare,
    filesystem::{self, Call},
    grants::{probe, said},
    paths::{REFUSED, as_expected, outcome},
    place::Place,
    table::{On, Row, row},
    wasm,
};
use crate::support::{guest, run, soon, text};

/// Guests that are killed while they hang on a file; as many as a pool of threads would have to have lost.
const HANGING: usize = 24;

const SET_TIMES: Call = Call {
    name: "set-times",
    of: ("$files", "[method]descriptor.set-times-at"),
    declared: r#"(param "self" (borrow $d)) (param "path-flags" $path-flags) (param "path" string)
      (param "data-access-timestamp" $new-timestamp) (param "data-modification-timestamp" $new-timestamp)
      (result (result (error $error)))"#,
    core: "(param i32 i32 i32 i32 i32 i64 i32 i32 i64 i32 i32)",
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = paths_no_library_makes();
    rows.push(
        row(24, "opening a FIFO that nobody writes to, then killed", "killed", async |place| {
            fifo(&place, 1).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(25, format!("{HANGING} guests that hang so, all killed"), "killed", async |place| {
            fifo(&place, HANGING).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(26, "listing a directory of 100 names 1,000 times, unclosed", "out of handles", async |place| {
            for n in 0..100 {
                fs::write(place.path("inside/other").join(n.to_string()), "").unwrap();
            }
            // Each opened directory is listed, and stays open.
            let body = r#"(i32.store8 (i32.const 0) (i32.const 111)) (i32.store8 (i32.const 1) (i32.const 116))
                (i32.store8 (i32.const 2) (i32.const 104)) (i32.store8 (i32.const 3) (i32.const 101))
                (i32.store8 (i32.const 4) (i32.const 114))
                (loop $again
                  (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 2)
                        (i64.const 0x4000) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable))
                  (drop (call $readdir (i32.load (i32.const 16)) (i32.const 65536) (i32.const 4096)
                        (i64.const 0) (i32.const 20)))
                  (local.set $n (i32.add (local.get $n) (i32.const 1)))
                  (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))"#;
            granted(&place, body).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(24, "opening a socket that somebody listens to", REFUSED, async |place| {
            socket(&place).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(24, "opening a device", "an answer", async |place| device(&place).await).on(On::Linux),
    );
    rows.push(
        row(27, "a file of 1 TiB, none of which is written", "exit 0", async |place| {
            granted(&place, &sized("(i64.const 0x10000000000)")).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(27, "a file of 2^63 - 1 bytes", "exit 22", async |place| {
            granted(&place, &sized("(i64.const 0x7fffffffffffffff)")).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(27, "writing at 2^62", "exit 22", async |place| {
            let write =
                "(i32.store (i32.const 64) (i32.const 0)) (i32.store (i32.const 68) (i32.const 1))
                (call $exit (call $write-at (i32.load (i32.const 16)) (i32.const 64) (i32.const 1)
                  (i64.const 0x4000000000000000) (i32.const 20)))";
            granted(&place, &opened(write)).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(
            28,
            "1,000 files of a byte, and one of 32 MiB: there is no quota, as SECURITY.md says",
            "all is written",
            async |place| {
                let mut script = String::new();
                for n in 0..1000 {
                    script += &format!("write\t/data/other/{n}\tx\n");
                }
                script += "create\t/data/large\nset-size\t/data/large\t33554432\n";
                let mut command = Command::new(guest("fs-probe"));
                command.grants(place.granted(Access::ReadWrite));
                let said = text(&run(&command, script.as_bytes()).await.stdout);
                let size = fs::metadata(place.path("inside/large")).map_or(0, |file| file.len());
                let security = include_str!("../../../../SECURITY.md");
                match said.lines().all(|line| outcome(line) == "ok") {
                    true if said.lines().count() == 1002 && size == 32 << 20 => {
                        assert!(security.contains("There is no quota yet"));
                        "all is written".into()
                    }
                    _ => format!("{size} bytes, {:?}", said.lines().last()),
                }
            },
        )
        .on(On::Unix),
    );
    for (what, seconds) in
        [("far beyond", "0xffffffffffffffff"), ("before 1970", "0x8000000000000000")]
    {
        rows.push(
            row(29, format!("times of a file {what} what a clock tells"), "no panic", async move |place| {
                let body = format!(
                    r#"(i32.store8 (i32.const 0) (i32.const 102)) (i32.store8 (i32.const 1) (i32.const 105))
                       (i32.store8 (i32.const 2) (i32.const 108)) (i32.store8 (i32.const 3) (i32.const 101))
                       (drop (call $set-times (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
                         (i64.const {seconds}) (i64.const {seconds}) (i32.const 5)))"#
                );
                match granted(&place, &body).await.as_str() {
                    "exit 0" => "no panic".into(),
                    other => other.to_owned(),
                }
            })
            .on(On::Linux),
        );
    }
    rows.push(
        row(29, "times of a file of more nanoseconds than a second has", "exit 0", async |place| {
            // All there are: 2^64 - 1 seconds and 2^32 - 1 nanoseconds. An error is what it takes for an answer.
            let body = r#"(i32.store (i32.const 0) (i32.const 0x656c6966))
                (call $set-times (local.get $p) (i32.const 0) (i32.const 0) (i32.const 4)
                  (i32.const 2) (i64.const -1) (i32.const -1) (i32.const 2) (i64.const -1) (i32.const -1)
                  (i32.const 2064))
                (if (i32.ne (i32.load8_u (i32.const 2064)) (i32.const 1)) (then (call $exit (i32.const 1))))"#;
            let component = wasm::load(&filesystem::component(&[SET_TIMES], body)).unwrap();
            wasm::ends(Command::new(component).grants(place.granted(Access::ReadWrite))).await
        })
        .on(On::Linux),
    );
    rows.push(
        row(
            35,
            "a file whose rights the host takes away while it is open",
            "written, and not opened again",
            async |place| rights_taken(&place).await,
        )
        .on(On::Linux),
    );
    rows.push(
        row(35, "a file that the host removes, read", "not-found", async |place| {
            let command = probe("read", "/data/file", place.granted(Access::ReadOnly));
            fs::remove_file(place.path("inside/file")).unwrap();
            said(&command).await
        })
        .on(On::Everywhere),
    );
    rows.push(
        row(37, "every descriptor but its own, 3 to 10,000", "none is open", async |_| {
            let body = r#"(local.set $n (i32.const 3))
                (loop $again
                  (if (i32.ne (call $close (local.get $n)) (i32.const 8)) (then (call $exit (i32.const 1))))
                  (local.set $n (i32.add (local.get $n) (i32.const 1)))
                  (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))"#;
            match wasm::ends_by_itself(wasm::starting(body)).await.as_str() {
                "exit 0" => "none is open".into(),
                other => other.to_owned(),
            }
        }),
    );
    rows
}

/// Through preview1, which takes any bytes for a path; the code is WASI's number of the error.
fn paths_no_library_makes() -> Vec<Row> {
    // Where the path begins, how it is made, and how long it is.
    let rows = [
        ("a NUL in a path", "(i32.store8 (i32.const 0) (i32.const 97))", 3, "exit 28"),
        ("an empty path", "", 0, "exit 44"),
        (
            "a name of 300 bytes",
            "(memory.fill (i32.const 0) (i32.const 97) (i32.const 300))",
            300,
            "exit 37",
        ),
        (
            "a path of 1,200 parts",
            "(loop $fill (i32.store16 (local.get $n) (i32.const 0x2f61))
               (local.set $n (i32.add (local.get $n) (i32.const 2)))
               (br_if $fill (i32.lt_u (local.get $n) (i32.const 2400))))",
            2400,
            "exit 44",
        ),
        (
            "a path of 100 KB",
            "(memory.fill (i32.const 0) (i32.const 97) (i32.const 100000))",
            100_000,
            "exit 37",
        ),
        (
            "a path of 2 MB",
            "(memory.fill (i32.const 0) (i32.const 97) (i32.const 2000000))",
            2_000_000,
            "out of bytes of one call",
        ),
        ("a path that is no text", "(i32.store8 (i32.const 0) (i32.const 255))", 1, "exit 25"),
        ("a path beyond the memory", "", 0x7fff_ffff, "out of bytes of one call"),
    ];
    let row = |(what, fill, length, expected): (&'static str, &'static str, u32, &'static str)| {
        let body = format!(
            "{fill} (call $exit (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const {length})
               (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 3000000)))"
        );
        let again = body.clone();
        row(22, what, expected, async move |place| fault(granted(&place, &body).await))
            .bare(move |place: &Place| {
                let held = (&*place.inside(), Access::ReadWrite);
                fault(bare::run(&wasm::starting(&again), &[], Some(held)).1)
            })
            .on(On::Linux)
    };
    rows.into_iter().map(row).collect()
}

/// Which fault it is, is the engine's to word.
fn fault(end: String) -> String {
    if end.starts_with("trap: ") { "a trap".into() } else { end }
}

/// `file`, opened to write: its descriptor is at 16.
fn opened(then: &str) -> String {
    format!(
        r#"(i32.store8 (i32.const 0) (i32.const 102)) (i32.store8 (i32.const 1) (i32.const 105))
           (i32.store8 (i32.const 2) (i32.const 108)) (i32.store8 (i32.const 3) (i32.const 101))
           (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                 (i64.const 0x400046) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable))
           {then}"#
    )
}

fn sized(size: &str) -> String {
    opened(&format!("(call $exit (call $set-size (i32.load (i32.const 16)) {size}))"))
}

/// How a module ends that holds the directory.
async fn granted(place: &Place, body: &str) -> String {
    let component = wasm::load(&wasm::starting(body)).unwrap();
    let mut command = Command::new(component);
    command.grants(place.granted(Access::ReadWrite)).limits(Limits::new());
    wasm::ends(&command).await
}

/// A guest opens a file, and writes to it when the host has taken all rights to it away; then it opens it once more.
#[cfg(target_os = "linux")]
async fn rights_taken(place: &Place) -> String {
    use std::os::unix::fs::PermissionsExt as _;

    let body = opened(
        "(call $say) (i32.store (i32.const 200) (i32.const 300)) (i32.store (i32.const 204) (i32.const 1))
         (if (call $read (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 208)) (then unreachable))
         (if (call $write (i32.load (i32.const 16)) (i32.const 200) (i32.const 1) (i32.const 208)) (then unreachable))
         (call $exit (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
           (i64.const 0x400046) (i64.const 0) (i32.const 0) (i32.const 20)))",
    );
    let mut command = Command::new(wasm::load(&wasm::starting(&body)).unwrap());
    let child = wasm::ready(command.grants(place.granted(Access::ReadWrite))).await;
    let file = place.path("inside/file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let end = wasm::end(&crate::support::finish(child, b"C").await.status);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let written = fs::read(&file).unwrap() == b"Content";
    // The code is WASI's `acces`. No rights are needed by root.
    let refused = end == "exit 2" || (end == "exit 0" && rustix::process::geteuid().is_root());
    match written && refused {
        true => "written, and not opened again".into(),
        false => format!("{end}, written: {written}"),
    }
}

#[cfg(target_os = "linux")]
async fn socket(place: &Place) -> String {
    let listening = std::os::unix::net::UnixListener::bind(place.path("inside/socket")).unwrap();
    let said = said(&probe("read", "/data/socket", place.granted(Access::ReadWrite))).await;
    drop(listening);
    as_expected(said, REFUSED)
}

/// Whoever puts a device into a directory that is granted, grants it: the guest may read it, and is not to hang.
#[cfg(target_os = "linux")]
async fn device(place: &Place) -> String {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

    let (path, mode) = (place.path("inside/device"), Mode::from_raw_mode(0o600));
    // That of `/dev/null`. Who is not root makes none, and has the guest look for what is not there.
    let made = mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(1, 3)).is_ok();
    match (said(&probe("read", "/data/device", place.granted(Access::ReadWrite))).await, made) {
        (said, true) if said == "ok" => "an answer".into(),
        (said, false) if said == "not-found" => "an answer".into(),
        (said, _) => said,
    }
}

#[cfg(not(target_os = "linux"))]
async fn rights_taken(_: &Place) -> String {
    "only Linux is asked".into()
}

#[cfg(not(target_os = "linux"))]
async fn socket(_: &Place) -> String {
    "only Linux is asked".into()
}

#[cfg(not(target_os = "linux"))]
async fn device(_: &Place) -> String {
    "only Linux is asked".into()
}

/// Guests that open a FIFO, and are killed there.
async fn fifo(place: &Place, count: usize) -> String {
    place.fifo();
    let command = probe("read", "/data/fifo", place.granted(Access::ReadOnly));
    // Until they were killed late enough to have come that far.
    for wait in 1_u64.. {
        let mut children: Vec<_> = (0..count).map(|_| command.spawn().unwrap()).collect();
        tokio::time::sleep(Duration::from_millis(20 * wait)).await;
        let mut ended = Vec::new();
        for child in &mut children {
            child.start_kill().unwrap();
        }
        for child in &mut children {
            ended.push(wasm::end(&soon(child.wait()).await.unwrap()));
            let mut rest = Vec::new();
            soon(child.stdout.take().unwrap().read_to_end(&mut rest)).await.unwrap();
        }
        ended.dedup();
        if place.somebody_hangs() {
            while place.somebody_hangs() {
                tokio::task::yield_now().await;
            }
            return ended.join(", ");
        }
    }
    unreachable!("it waits longer each time")
}
